#include "core/regex_bank.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/regex_literals.h"
#include "core/regex_parts.h"

enum {
  MAX_PATTERNS = 1024, /* that have words; more are run without asking */
  FILTER_BYTES = 1 << 16,
  HEADS = 1 << 13,
  KEY_BYTES = 4, /* of most words */
  SHORT_KEY = 3, /* LRE_LITERAL_MIN: of the few words that have no more bytes */
  LEAST_WITHOUT_LEAD = 5,
  MIN_TEXT = 24,       /* a shorter text is matched as fast as it is searched */
  MAX_TEXT = 64 << 10, /* a longer one is not remembered, so it is not searched */
  SLOTS = 8,           /* texts of one answer that are asked about in turn: opening, rest, sentences */
};

struct word {
  uint32_t key;     /* four bytes of it, or three and a zero */
  unsigned char at; /* where they are in it */
  uint32_t next;    /* 1 + the next word of the same head; 0: none */
  uint32_t place;   /* of its pattern */
  struct lre_literal text;
};

struct entry {
  char *text;
  size_t len;
  unsigned flags;
  struct lre_regex *re;
};

struct lre_regex_bank {
  struct entry *entries;
  size_t n_entries;
  struct word *words;
  size_t n_words;
  size_t n_places;
  bool sealed;
  uint32_t heads[HEADS], short_heads[HEADS];
  unsigned char filter[FILTER_BYTES]; /* by the hash of four bytes: HAS_ bits of the keys that they may be */
};

enum { HAS_KEY = 1, HAS_SHORT_KEY = 2 };

struct lre_regex_scan {
  const struct lre_regex_bank *bank;
  char *folded;
  size_t len, cap;
  bool every; /* it holds a letter that folds oddly: all patterns are run */
  uint64_t found[MAX_PATTERNS / 64];
};

struct lre_regex_scans {
  struct lre_regex_scan slots[SLOTS];
  size_t last, next;
};

/* ---- building ---- */

struct lre_regex_bank *lre_regex_bank_new(struct lre_err *err) {
  struct lre_regex_bank *bank = calloc(1, sizeof *bank);
  if (!bank) lre_err_memory(err);
  return bank;
}

void lre_regex_bank_free(struct lre_regex_bank *bank) {
  if (!bank) return;
  for (size_t i = 0; i < bank->n_entries; i++) {
    lre_regex_free(bank->entries[i].re);
    free(bank->entries[i].text);
  }
  free(bank->entries);
  free(bank->words);
  free(bank);
}

static struct entry *find_entry(const struct lre_regex_bank *bank, const char *text, size_t len, unsigned flags) {
  for (size_t i = 0; i < bank->n_entries; i++) {
    struct entry *e = &bank->entries[i];
    if (e->len == len && e->flags == flags && memcmp(e->text, text, len) == 0) return e;
  }
  return NULL;
}

/* False: no memory; then the pattern is the caller's alone. */
static bool add_entry(struct lre_regex_bank *bank, const char *text, size_t len, unsigned flags, struct lre_regex *re) {
  struct entry *grown = realloc(bank->entries, (bank->n_entries + 1) * sizeof *grown);
  if (!grown) return false;
  bank->entries = grown;
  char *copy = malloc(len + 1);
  if (!copy) return false;
  if (len) memcpy(copy, text, len);
  grown[bank->n_entries++] = (struct entry){.text = copy, .len = len, .flags = flags, .re = re};
  return true;
}

struct lre_regex *lre_regex_bank_get(struct lre_regex_bank *bank, const char *pattern, size_t len, unsigned flags,
                                     struct lre_err *err) {
  struct entry *known = find_entry(bank, pattern, len, flags);
  struct lre_regex *re = known ? known->re : lre_regex_new(pattern, len, flags, err);
  bool shared = known || (re && !bank->sealed && add_entry(bank, pattern, len, flags, re));
  if (shared) atomic_fetch_add(&re->references, 1);
  return re;
}

/* Knuth's multiplicative hash; the upper bits are the good ones. */
static uint32_t hash(uint32_t x) {
  return (x * 2654435769u) >> 16;
}

static uint32_t load32(const char *s) {
  uint32_t x;
  memcpy(&x, s, sizeof x);
  return x;
}

/* Of four bytes that were loaded, the first three. */
static uint32_t shorten(uint32_t x) {
  static const unsigned char last[sizeof x] = {0, 0, 0, 0xFF};
  uint32_t mask;
  memcpy(&mask, last, sizeof mask);
  return x & ~mask;
}

static void set_bit(uint64_t *bits, uint32_t i) {
  bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool has_bit(const uint64_t *bits, uint32_t i) {
  return bits[i / 64] >> (i % 64) & 1;
}

/* The more common a letter is in European texts, the less. Other bytes of ASCII are the most common ones, those of
 * other scripts the rarest. */
static int rarity(const char *key, size_t len) {
  static const char common[] = "etaoinsrhldcumfpgwybvkxjqz";
  int sum = 0;
  for (size_t i = 0; i < len; i++) {
    const char *found = key[i] ? strchr(common, key[i]) : NULL;
    sum += found ? (int)(found - common) + 2 : (unsigned char)key[i] >= 0x80 ? (int)sizeof common : 0;
  }
  return sum;
}

/* Where letters of a word are that are rare together. */
static size_t best_key(const char *word, size_t len, size_t key_len) {
  size_t best = 0;
  int best_score = -1;
  for (size_t at = 0; at + key_len <= len; at++) {
    int score = rarity(word + at, key_len);
    if (score > best_score) {
      best = at;
      best_score = score;
    }
  }
  return best;
}

static bool is_known(const struct lre_regex_bank *bank, uint32_t head, const struct lre_literal *text, uint32_t place) {
  for (uint32_t i = head; i; i = bank->words[i - 1].next) {
    const struct word *w = &bank->words[i - 1];
    if (w->place == place && w->text.len == text->len && memcmp(w->text.bytes, text->bytes, text->len) == 0)
      return true;
  }
  return false;
}

/* Whatever follows three bytes, they are found. */
static void note_key(struct lre_regex_bank *bank, const char *key, bool is_short) {
  char four[KEY_BYTES];
  memcpy(four, key, sizeof four);
  if (!is_short) bank->filter[hash(load32(four))] |= HAS_KEY;
  for (int c = 0; is_short && c <= UCHAR_MAX; c++) {
    if (c && !(c & LRE_LITERAL_FOLD)) continue; /* no byte of a folded text; 0 is behind its end */
    four[SHORT_KEY] = (char)c;
    bank->filter[hash(load32(four))] |= HAS_SHORT_KEY;
  }
}

static bool add_word(struct lre_regex_bank *bank, const struct lre_literal *text, uint32_t place) {
  if ((bank->n_words & (bank->n_words - 1)) == 0) {
    struct word *grown = realloc(bank->words, (bank->n_words ? 2 * bank->n_words : 1) * sizeof *grown);
    if (!grown) return false;
    bank->words = grown;
  }
  char padded[LRE_LITERAL_MAX + KEY_BYTES] = {0};
  memcpy(padded, text->bytes, text->len);
  bool is_short = text->len < KEY_BYTES;
  size_t at = best_key(padded, text->len, is_short ? SHORT_KEY : KEY_BYTES);
  uint32_t key = load32(padded + at);
  uint32_t *head = &(is_short ? bank->short_heads : bank->heads)[hash(key) % HEADS];
  if (is_known(bank, *head, text, place)) return true;
  bank->words[bank->n_words] =
      (struct word){.key = key, .at = (unsigned char)at, .next = *head, .place = place, .text = *text};
  *head = (uint32_t)++bank->n_words;
  note_key(bank, padded + at, is_short);
  return true;
}

/* The blank or bracket in front of a word only multiplies words. */
static struct lre_literal without_lead(struct lre_literal text) {
  char c = text.bytes[0];
  bool letter = (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
  if (letter || text.len <= LEAST_WITHOUT_LEAD) return text;
  memmove(text.bytes, text.bytes + 1, --text.len);
  return text;
}

static void add_pattern(struct lre_regex_bank *bank, const struct entry *e) {
  struct lre_literals words;
  if (bank->n_places == MAX_PATTERNS || !lre_literals_read(e->text, e->len, e->flags, &words)) return;
  bool ok = true;
  for (size_t i = 0; i < words.n && ok; i++) {
    struct lre_literal word = without_lead(words.list[i]);
    ok = add_word(bank, &word, (uint32_t)bank->n_places);
  }
  lre_literals_free(&words);
  if (!ok) return;
  e->re->place = bank->n_places++;
  e->re->bank = bank;
}

void lre_regex_bank_seal(struct lre_regex_bank *bank) {
  if (bank->sealed) return;
  bank->sealed = true;
  for (size_t i = 0; i < bank->n_entries; i++) add_pattern(bank, &bank->entries[i]);
}

/* ---- searching ---- */

struct lre_regex_scans *lre_regex_scans_new(void) {
  return calloc(1, sizeof(struct lre_regex_scans));
}

void lre_regex_scans_free(struct lre_regex_scans *scans) {
  if (!scans) return;
  for (size_t i = 0; i < SLOTS; i++) free(scans->slots[i].folded);
  free(scans);
}

#define FOLD8 (UINT64_C(0x0101010101010101) * LRE_LITERAL_FOLD)
#define HIGH8 UINT64_C(0x8080808080808080)

static uint64_t load64(const char *s) {
  uint64_t x;
  memcpy(&x, s, sizeof x);
  return x;
}

static bool is_same(const struct lre_regex_scan *slot, const char *s, size_t len) {
  if (slot->len != len || !slot->folded) return false;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    if ((load64(s + i) | FOLD8) != load64(slot->folded + i)) return false;
  }
  for (; i < len; i++) {
    if ((char)(s[i] | LRE_LITERAL_FOLD) != slot->folded[i]) return false;
  }
  return true;
}

/* Returns whether it is all ASCII. */
static bool fold(char *out, const char *s, size_t len) {
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + 8 <= len; i += 8) {
    uint64_t x = load64(s + i);
    seen |= x;
    x |= FOLD8;
    memcpy(out + i, &x, sizeof x);
  }
  for (; i < len; i++) {
    seen |= (unsigned char)s[i] & 0x80;
    out[i] = (char)(s[i] | LRE_LITERAL_FOLD);
  }
  return !(seen & HIGH8);
}

/* See lre_literals_read: C5 B8, C5 BF, E1 BA 9E, E2 84 AA and E2 84 AB. */
static bool has_odd_letter(const char *s, size_t len) {
  for (size_t i = 0; i + 1 < len; i++) {
    unsigned char a = (unsigned char)s[i];
    if (a < 0xC5) continue;
    unsigned char b = (unsigned char)s[i + 1], c = (unsigned char)(i + 2 < len ? s[i + 2] : 0);
    if (a == 0xC5 && (b == 0xB8 || b == 0xBF)) return true;
    if (a == 0xE1 && b == 0xBA && c == 0x9E) return true;
    if (a == 0xE2 && b == 0x84 && (c == 0xAA || c == 0xAB)) return true;
  }
  return false;
}

/* A word has its key at `at`: is it there? Many words may have one key; their ends tell most apart. */
static bool holds(const struct lre_regex_scan *slot, size_t at, const struct word *w) {
  if (w->at > at || w->text.len > slot->len - (at - w->at)) return false;
  const char *text = slot->folded + at - w->at;
  size_t last = w->text.len - 1u;
  return text[last] == w->text.bytes[last] && text[0] == w->text.bytes[0] && memcmp(text, w->text.bytes, last) == 0;
}

/* The words from `head` on that have the key. */
static void look_up(const struct lre_regex_bank *bank, struct lre_regex_scan *slot, size_t at, uint32_t key,
                    uint32_t head) {
  for (uint32_t i = head; i; i = bank->words[i - 1].next) {
    const struct word *w = &bank->words[i - 1];
    if (w->key == key && !has_bit(slot->found, w->place) && holds(slot, at, w)) set_bit(slot->found, w->place);
  }
}

static void look_up_both(const struct lre_regex_bank *bank, struct lre_regex_scan *slot, size_t at, int has) {
  uint32_t key = load32(slot->folded + at), three = shorten(key);
  if (has & HAS_KEY) look_up(bank, slot, at, key, bank->heads[hash(key) % HEADS]);
  if (has & HAS_SHORT_KEY) look_up(bank, slot, at, three, bank->short_heads[hash(three) % HEADS]);
}

static void search(const struct lre_regex_bank *bank, struct lre_regex_scan *slot) {
  memset(slot->found, 0, (bank->n_places + 63) / 64 * sizeof slot->found[0]);
  const unsigned char *filter = bank->filter;
  const char *text = slot->folded;
  if (slot->len < LRE_LITERAL_MIN) return;
  for (const char *s = text, *end = text + slot->len - LRE_LITERAL_MIN + 1; s < end; s++) {
    int has = filter[hash(load32(s))];
    if (has) look_up_both(bank, slot, (size_t)(s - text), has);
  }
}

/* NULL: no memory. */
static struct lre_regex_scan *search_new(const struct lre_regex_bank *bank, struct lre_regex_scans *scans,
                                         const char *s, size_t len) {
  struct lre_regex_scan *slot = &scans->slots[scans->next];
  slot->bank = NULL;
  if (slot->cap < len + sizeof(uint32_t)) { /* four bytes are loaded at the last three, too */
    char *grown = realloc(slot->folded, len * 2);
    if (!grown) return NULL;
    slot->folded = grown;
    slot->cap = len * 2;
  }
  slot->len = len;
  memset(slot->folded + len, 0, sizeof(uint32_t));
  slot->every = !fold(slot->folded, s, len) && has_odd_letter(s, len);
  if (!slot->every) search(bank, slot);
  slot->bank = bank;
  scans->last = scans->next;
  scans->next = (scans->next + 1) % SLOTS;
  return slot;
}

static struct lre_regex_scan *find_slot(const struct lre_regex_bank *bank, struct lre_regex_scans *scans, const char *s,
                                        size_t len) {
  for (size_t i = 0; i < SLOTS; i++) {
    struct lre_regex_scan *slot = &scans->slots[(scans->last + SLOTS - i) % SLOTS];
    if (slot->bank == bank && is_same(slot, s, len)) return slot;
  }
  return NULL;
}

const struct lre_regex_scan *lre_regex_scan(const struct lre_regex_bank *bank, struct lre_regex_scans *scans,
                                            const char *s, size_t len) {
  if (len < MIN_TEXT || len > MAX_TEXT || !scans) return NULL;
  struct lre_regex_scan *slot = find_slot(bank, scans, s, len);
  return slot ? slot : search_new(bank, scans, s, len);
}

bool lre_regex_may_match(const struct lre_regex *re, const struct lre_regex_scan *scan) {
  return !scan || scan->every || has_bit(scan->found, (uint32_t)re->place);
}
