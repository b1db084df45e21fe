/*
 * Sessions, process groups and the controlling terminal, for the tty module.
 */
#pragma once

#include "modules/linux/process.h"

/* The caller's controlling terminal, null if it has none. The pointer is only compared or used while the tty module knows that the tty lives. */
struct tty *session_tty(void);
/* Makes `tty` the controlling terminal of the caller's session (it leads one without a terminal): 0 or -EPERM. `session` receives a reference to its pid, `group` too. */
int session_set_tty(struct tty *tty, struct pid **session, struct pid **group);
/* No process of the session has the terminal any more (hang-up, TIOCNOTTY of the leader). */
void session_clear_tty(struct pid *session);
/* TIOCNOTTY of a process that leads nothing. */
void process_clear_tty(void);
/* Pseudo terminals there may be, and are; tty keeps to the first and writes the second. */
extern int pty_max, pty_count;
/* The terminal of a session hangs up with this group in the foreground: it is told when the leader ends. Takes a reference. */
void session_note_hangup(struct pid *session, struct pid *group);
/* Called by linux when a session leader with a terminal exits, and registered by tty at init: hangs up. */
extern void (*session_leader_exit)(struct tty *tty, struct pid *session);

/* Device number and foreground group of a terminal, for /proc; set by tty at init, called with tree_lock held. Null: no terminals. */
extern void (*session_tty_info)(struct tty *tty, uint64_t *rdev, int *foreground_group);

/* Is a process group orphaned (nobody in it has a parent in another group of the session)? tree_lock not held. */
bool group_is_orphaned(struct pid *group);
/* Does the group belong to the session? */
bool group_in_session(struct pid *group, struct pid *session);
/* The caller's group and session, with references. */
struct pid *current_group(void);
struct pid *current_session(void);
