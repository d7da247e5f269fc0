---@meta lre.stats

---@class lre.stats
---Intervals are `{ value, low, high, method, confidence }`. Confidence defaults to 0.95. n = 0 gives nil, err (code
---"no_data").
local stats = {}
---@return table?, lre.Error?
function stats.wilson(x, n, confidence) end
---Of trials that come in clusters (repeats of a sample): `positives[i]` of `sizes[i]`. Wilson with n / DEFF
---in the place of n; has `n_eff` and `clusters` (how many are not empty) too.
---@param positives integer[]
---@param sizes integer[]
---@return table?, lre.Error?
function stats.wilson_clustered(positives, sizes, confidence) end
---The same where n_eff is known: x of n, worth n_eff independent ones.
---@return table?, lre.Error?
function stats.wilson_effective(x, n, n_eff, confidence) end
---@return table?, lre.Error?
function stats.jeffreys(x, n, confidence) end
---@return table?, lre.Error?
function stats.clopper_pearson(x, n, confidence) end
---x1/n1 - x2/n2, independent samples.
---@return table?, lre.Error?
function stats.newcombe(x1, n1, x2, n2, confidence) end
---Paired: a both, b only first, c only second, d neither. Has `phi` too.
---@return table?, lre.Error?
function stats.newcombe_paired(a, b, c, d, confidence) end
---Two-sided p of the pooled z-test.
---@return number?, lre.Error?
function stats.ztest(x1, n1, x2, n2) end
---`{ exact, midp }`
---@return table?, lre.Error?
function stats.mcnemar(b, c) end
---p-values adjusted for one another (Holm 1979), in the order given.
---@return number[]?, lre.Error?
function stats.holm(p) end
---The same by Benjamini and Hochberg 1995: for exploring, where some false findings are borne.
---@return number[]?, lre.Error?
function stats.benjamini_hochberg(p) end
---table: rows of counts. `{ kappa, se, low, high, se0, observed, expected }`; code "undefined" where expected
---agreement is 1.
---@return table?, lre.Error?
function stats.kappa(rows, confidence) end
---Nearest rank.
---@return number?, lre.Error?
function stats.quantile(values, q) end
---values[i] belongs to clusters[i] (any string). options: replicates (2000), seed (0), confidence.
---@return table?, lre.Error?
function stats.bootstrap(values, clusters, options) end
---@return number
function stats.normal_quantile(p) end
---@return number?, lre.Error?
function stats.t_quantile(p, df) end
---Two-sided p of Student's t.
---@return number?, lre.Error?
function stats.t_test(t, df) end

return stats
