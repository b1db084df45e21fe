/*
 * Files whose contents are text made when they are read (procfs, sysfs), and trees of them.
 *
 * The text is made anew when a read begins at position 0 and kept for the reads that go on from there.
 */
#pragma once

#include "modules/vfs/file.h"

struct text_out {
	char *buf;
	size_t size, used;
	int error;
};
/* Append; on lack of memory `error` is set and the rest is ignored. */
void text_printf(struct text_out *t, const char *fmt, ...) __printf(2, 3);
void text_add(struct text_out *t, const void *data, size_t n);
/* A text that a user chose, where it must not end the line: newlines become \n and backslashes \\, as in Linux's status. */
void text_add_name(struct text_out *t, const char *name);
/* The same for paths, as in Linux's maps: newlines become \012. */
void text_add_path(struct text_out *t, const char *path);

struct text_file_type {
	/* Null: not readable. May sleep. 0 or an error for the reader. */
	int (*show)(struct text_out *t, void *arg);
	/* Null: not writable. `text` is terminated. Bytes taken or an error. */
	long (*store)(const char *text, size_t n, void *arg);
	/* Changes are announced by this queue (null: none): the first poll after one, told by *generation, gives POLLERR | POLLPRI. */
	struct wait_queue *wait;
	uint64_t (*generation)(void);
	/* The file is closed: gives back what `arg` is, unless null. */
	void (*close)(void *arg);
};

/*
 * For a file system's open(): makes f such a file. `arg` must stay while f is open. `pollable`: epoll takes it although it is always
 * ready, as Linux's files of the whole system and sysfs are; with a queue it is taken anyway. -ENOMEM, -EACCES.
 */
int text_file_open(struct file *f, const struct text_file_type *type, void *arg, bool pollable);

/*
 * A node in a tree of a super block whose dentries are pinned: `path` relative to the root, directories on the way are made. mode with S_IFREG or S_IFDIR
 * (type null) or S_IFLNK (arg the text). Strings must stay. -EEXIST, -ENOMEM.
 */
int text_tree_add(struct super *s, const char *path, uint32_t mode, const struct text_file_type *type, void *arg);
/* Removes a node and all below. Files that are open go on with the arg they have: the caller sees to it that it stays. */
void text_tree_remove(struct super *s, const char *path);
/* A directory inode for such a tree's root. Null when out. */
struct inode *text_tree_root(struct super *s);
/* The super block's evict. */
void text_tree_evict(struct inode *inode);
/* Is it a node of text_tree_add? */
bool text_tree_is_node(const struct inode *inode);

/* lock.c: /proc/locks, all locks of files and who waits for each. */
int locks_show(struct text_out *t, void *arg);
/* The lines of fdinfo: those locks that were set by this file, and belong to it or to this descriptor table. */
void locks_show_file(struct text_out *t, const struct file *f, const void *table);
