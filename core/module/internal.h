/*
 * Private to core/module: the steps of loading, each with its undoing.
 */
#pragma once

#include "core/module/elf.h"
#include "core/module/module.h"

#define MODULES_MAX 256

extern struct mutex module_lock;
extern struct module *modules[MODULES_MAX];

/* load.c */
struct module *module_find_locked(const char *name);

/* place.c: memory, symbols, relocations. */
int module_place(struct module *m, const struct elf_image *e, const char **why);
void module_unplace(struct module *m);
/* Sets the final protections. */
void module_protect(struct module *m);

/* symbols.c */
int module_collect_symbols(struct module *m, const struct elf_image *e, const uintptr_t *addresses);
const void *module_resolve(const struct module *m, const char *name);

/* params.c: applies "name=value ..." to the descriptor's parameters; strings are kept in m->strings. */
int module_apply_params(struct module *m, const char *text, const char **why);

/* bind.c: two phases, all or nothing. */
int module_claim_slots(struct module *m, const char **why);
void module_release_slots(struct module *m);
int module_bind(struct module *m, const char **why);
void module_unbind(struct module *m);
