/*
 * What the generator writes into every module and the loader reads: the whole of a module's connections with the rest of
 * the kernel. Nothing here is filled in by hand; the source is the module's module.lua and its rows of syscalls.tbl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trap_frame;
struct module_hooks;
struct module_services;

#define SYSCALL_TABLE_SIZE 1024

/* One system call: the port's number and the generated wrapper that unpacks its registers. */
struct syscall_binding {
	unsigned int number;
	long (*call)(struct trap_frame *frame);
};

enum module_param_type {
	PARAM_BOOL,	/* bool */
	PARAM_INT,	/* int */
	PARAM_UINT,	/* unsigned int */
	PARAM_ULONG,	/* unsigned long */
	PARAM_CHARP,	/* const char *, pointing to a string the loader owns */
};

/* A parameter: `max` elements at `value`; arrays (max > 1) store the number given in *count. */
struct module_param {
	const char *name;
	enum module_param_type type;
	unsigned int mode;		/* permissions of its file under /sys/module; 0: no file */
	unsigned int max;
	void *value;
	unsigned int *count;		/* null unless an array */
};

enum module_data_kind { DATA_THREAD, DATA_ASPACE };

/* Per-object data: the loader stores the index of a free slot in *slot before init runs. */
struct module_data_slot {
	enum module_data_kind kind;
	int *slot;
};

/* How the module is replaced in a running machine. */
enum module_replace {
	REPLACE_NEVER,
	REPLACE_RESTART,	/* has nothing to hand over but the data slots: calls under way are executed again */
	REPLACE_STATE,		/* hands over what state_export writes */
};

#define MODULE_STATE_WORDS 64

/* What an old module hands to a new one. `version` is the exporter's; what the words mean is between versions of the module. */
struct module_blob {
	unsigned int version;
	unsigned int count;
	uint64_t word[MODULE_STATE_WORDS];
};

struct thread;

/* The one object of the section .mortise.module. */
struct module_descriptor {
	const char *name;
	int (*init)(void);		/* null or: acquires the module's own memory; may sleep; 0 or negative errno */
	void (*fini)(void);		/* null or: gives back what init acquired; runs when nothing can reach the module any more */
	const struct syscall_binding *syscalls;
	unsigned int syscall_count;
	const struct module_data_slot *data_slots;
	unsigned int data_slot_count;
	const struct module_param *params;
	unsigned int param_count;
	const struct module_hooks *hooks;	/* null fields are not installed */
	const struct module_services *services;	/* null fields are not provided */
	enum module_replace replace;
	unsigned int state_version;		/* of the data in the slots, and of the blob */
	/*
	 * REPLACE_STATE. All CPUs are stopped and nobody is inside of either module: neither may lock, allocate, log or sleep. Export
	 * describes what there is and changes nothing. Import takes it over, or refuses with a negative errno and changes
	 * nothing; what it gives for it (its own, empty) it leaves in the blob, in the exporter's version. The old module imports that, and cannot refuse.
	 */
	void (*state_export)(struct module_blob *out);
	int (*state_import)(struct module_blob *io);
	/* Null or: frees the data slot of a thread when the module is taken out by force. Any context; all entries to the module are closed. */
	void (*drop)(struct thread *t);
	/* Null or: are there objects that refer to the module (open files, armed timers)? All CPUs are stopped. */
	bool (*busy)(void);
};
