/* judge_parts.h: where judge_load.c leaves the parts of a loaded judge: registry keys, by address. */
#ifndef LRE_VM_JUDGE_PARTS_H
#define LRE_VM_JUDGE_PARTS_H

extern const char lre_judge_declared, lre_judge_function, lre_judge_options, lre_judge_patterns;

#endif
