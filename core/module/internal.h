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

/* signature.c: policy and gate. */
/* Boot, before the first module: reads modules.sig. */
void module_signature_setup(void);
/*
 * May these bytes be looked at as a module? Cuts *size down to what a signature covers. 0; -EKEYREJECTED: signatures are required, and it has none,
 * one by another key, or one that does not fit; -EBADMSG: not required, and what it has is malformed. A refusal is logged. May sleep.
 */
int module_admit(const void *image, size_t *size);

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
/*
 * The tables of calls, hooks and services are read-only but between these two; calls may be nested.
 * The loader begins with them open and closes them when it has loaded the modules of the boot list.
 * Under module_lock, or before there are other threads. Interrupts on, and the machine not stopped: every
 * CPU must hear of it.
 */
void sockets_open(void);
void sockets_close(void);
/* Hooks and services only; also with the machine stopped. The sockets are open. */
void module_unbind_sockets(struct module *m);
/* Puts the gate's functions in the place of the module's hooks that are gated, or takes them out again. */
void module_gate_hooks(struct module *m, bool shut);
/*
 * Puts the hooks and services of `new` in the place of those of `old`, whose gate is shut. After
 * module_check_swap, with the sockets open; any context.
 */
void module_swap_sockets(struct module *old, struct module *new);
/* May `new` take the place of `old`? Checks what module_bind checks, with what `old` holds counted as free. */
int module_check_swap(const struct module *old, const struct module *new, const char **why);

/* load.c: module_load of an image that was admitted. */
int module_load_admitted(const void *image, size_t size, const char *params);

/* load.c: the parts of loading, shared with replacing. Under module_lock but for the first. */
struct module_request {
	struct elf_image image;
	struct module *module;
	const char *why;		/* what went wrong */
};
/* Checks an image and makes a module of it that has nothing yet. -ENOEXEC, -ENOMEM. */
int module_prepare(const void *image, size_t size, struct module_request *r);
/* Places it and takes references to what it needs. module_discard undoes, also after an error. */
int module_construct(struct module_request *r);
int module_publish(struct module *m, const char **why);
void module_unpublish(struct module *m);
/* Frees a module that nothing reaches: memory, strings, references to others. */
void module_discard(struct module *m);
/* Logs why the module of a request was refused. */
void module_report(const struct module_request *r, int error);

/*
 * complain.c: an error line of the log about a module, which one process is told once, not twice.
 */
void module_complain(const char *fmt, ...) __printf(1, 2);

/*
 * worker.c: runs fn(arg) in a thread of its own, above ordinary ones, and waits for it. Its
 * result, or -ENOMEM. One at a time; a caller who is killed while it waits for its turn gets
 * -EINTR, and one who is killed later makes module_work_given_up() true for the thread, which ends
 * the job at the next place where it can be undone. May sleep.
 */
int module_work(int (*fn)(void *arg), void *arg);
bool module_work_given_up(void);
/* For the thread: takes module_lock, or gives up with -EINTR. Others may hold it as long as a module's init takes. */
int module_work_lock(void);

/* inspect.c: who is inside? All of it with the machine stopped. */
struct module_inspection {
	struct module *module;
	unsigned int running;		/* threads inside that are not asleep, or asleep where nobody may wake them */
	unsigned int asleep;		/* ... that a kick makes leave */
	unsigned int timers, interrupts;	/* armed, requested */
	unsigned int objects;		/* data of threads */
	bool busy;			/* the module says so */
};
/* Fills in the figures about m, then, if `then` is not null, runs it with the machine still stopped. */
void module_inspect(struct module *m, struct module_inspection *out, void (*then)(struct module_inspection *i, void *arg),
		    void *arg);
/* Calls fn for the threads inside that do not run; `asleep`: a kick makes it leave. As part of `then`. */
void module_for_each_inside(struct module *m, void (*fn)(struct thread *t, bool asleep));

/* gate.c */
/* New callers of the module's slots wait from now on; so do threads that end or exec, if it wants to know of them. */
void gate_shut(struct module *m);
/* Makes a thread leave the module; it comes back when the gate opens. With the machine stopped. */
void gate_kick(struct thread *t);
/* Lets in first those who were kicked, and when all of them sleep again or are done, everybody. `m` serves; null: nobody does. */
void gate_open(struct module *m);
/* The function that stands in for a hook while the gate is shut; null: that hook is not gated. */
void *gate_hook(unsigned int index);
/* For how long the gate was shut the last time, in ns. */
uint64_t gate_last_time(void);
/* Waits until none is inside, kicking those that sleep; `sleepers` false: these are left alone, and may stay. 0, or -EBUSY after a while. */
int module_drain(struct module *m, bool sleepers);
/* The reason for the log when it failed. */
const char *module_why_not_drained(int error);
