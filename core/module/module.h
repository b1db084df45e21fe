/*
 * The loader: takes a relocatable ELF object apart, checks it, places it, and binds what its descriptor declares.
 */
#pragma once

#include "core/lib/list.h"
#include "core/lib/refcount.h"
#include "core/module/descriptor.h"

#define MODULE_NAME_SIZE 56
#define MODULE_RELEASE "6.1.0-mortise"

enum module_state { MODULE_LOADING, MODULE_LIVE, MODULE_GOING };

struct module_section {
	char name[32];
	uintptr_t address;
	size_t size;
};

struct module {
	struct list link;
	char name[MODULE_NAME_SIZE];
	enum module_state state;
	const struct module_descriptor *descriptor;
	struct refcount refs;			/* 1, and one for each dependent */
	/* Memory by protection: text, rodata, data. */
	struct { uintptr_t base; size_t size; unsigned int prot; } part[3];
	size_t total_size;
	char *symbol_names;			/* for backtraces: function symbols sorted by address */
	struct module_symbol { uint32_t offset; uint32_t size; uint32_t name; } *symbols;
	unsigned int symbol_count;
	const struct ksymtab_entry *exports;
	unsigned int export_count;
	struct module **needs;
	unsigned int needs_count;
	struct module_section *sections;
	unsigned int section_count;
	char *strings;				/* parameter strings and modinfo copies */
	char *modinfo;
	size_t modinfo_size;
	unsigned int slots_claimed;
	uint64_t loaded_ns;			/* monotonic */
	unsigned int generation;		/* how often it was replaced */
};

/*
 * Signatures: every function below that takes an image admits it first as `modules.sig` wants it (decision 0021): -EKEYREJECTED if they are
 * required and it has none, one by another key, or one that does not fit.
 */
/* Loads an image in memory (may be freed afterwards). `params`: "name=value ..." or "". The caller has checked permission. 0 or Linux's errno, with a log line that says why. May sleep. */
int module_load(const void *image, size_t size, const char *params);
/* The same for init_module(2): not if loading was forbidden (-EPERM). */
int module_insert(const void *image, size_t size, const char *params);
/*
 * Takes a module out. -ENOENT; -EWOULDBLOCK: others need it; -EBUSY: a thread is inside, or something refers to it. `force`: threads
 * inside are made to leave, and what threads keep for it is dropped. May sleep.
 */
int module_unload(const char *name, bool force);
/*
 * Puts a new build of a loaded module in its place while it is in use. -ENOENT: none is loaded; -EBUSY: it says never, or could not be
 * brought to rest in time; any error of loading. After an error the old one serves as before, and the log says why. May sleep.
 */
int module_replace(const void *image, size_t size, const char *params);
/* After this, modules are neither loaded nor taken out until the next boot (modules_disabled). */
void module_forbid_changes(void);
bool module_changes_forbidden(void);
/* Is only what this build's key signed loaded? Any context. */
bool module_signature_required(void);
/* How long callers stood at the gate in the newest replacements, in ns: number of samples copied. Any thread context. */
unsigned int module_gate_times(uint64_t *out, unsigned int max);
/* Boot: loads from the initrd the modules of modules.boot or of `modules=`; a failure is logged and the rest goes on. */
void module_boot(void);
/* May sleep. */
bool module_is_loaded(const char *name);
/* Calls fn for each module under the module lock; stops when fn returns true. May sleep. */
void module_for_each(bool (*fn)(struct module *m, void *arg), void *arg);
/* Calls fn once under the module lock with all modules: `count` places, some of them null. May sleep. */
void module_with_all(void (*fn)(struct module *const *all, unsigned int count, void *arg), void *arg);
/* The module whose text contains the address; null if none. Any context. */
struct module *module_of_address(uintptr_t address);
/* The function symbol of a module that contains an address of it. Any context. */
bool module_symbol_find(const struct module *m, uintptr_t address, const char **name, uintptr_t *offset, uintptr_t *length);
/* Value of `key` in a module's modinfo; null if there is none. */
const char *module_info(const struct module *m, const char *key);
