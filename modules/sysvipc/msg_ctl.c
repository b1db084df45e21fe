/*
 * Message queues: msgctl and /proc/sysvipc/msg.
 */
#include <gen/sysvipc.h>
#include <asm/msgbuf.h>

#include "modules/sysvipc/msg.h"
#include "modules/vfs/text_file.h"

static long information(int command, uintptr_t buf)
{
	struct msginfo i = {
		.msgpool = MSGPOOL, .msgmap = MSGMAP, .msgmax = (int)READ_ONCE(msg_max_size),
		.msgmnb = (int)READ_ONCE(msg_max_queue), .msgmni = (int)READ_ONCE(msg_max_ids), .msgssz = MSGSSZ,
		.msgtql = MSGTQL, .msgseg = (unsigned short)MSGSEG,
	};
	uint64_t total;

	if (command == MSG_INFO) {
		i.msgpool = ipc_count(&msg_ids, &total);
		i.msgmap = (int)MIN(READ_ONCE(msg_total_count), (uint64_t)INT32_MAX);
		i.msgtql = (int)MIN(READ_ONCE(msg_total_bytes), (uint64_t)INT32_MAX);
	}
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&msg_ids);
}

static void describe_locked(const struct msg_queue *q, struct msqid64_ds *d)
{
	ipc_describe_locked(&q->ipc, &d->msg_perm);
	d->msg_stime = q->stime;
	d->msg_rtime = q->rtime;
	d->msg_ctime = q->ctime;
	d->msg_cbytes = q->bytes;
	d->msg_qnum = q->count;
	d->msg_qbytes = q->max_bytes;
	d->msg_lspid = q->sender_pid;
	d->msg_lrpid = q->receiver_pid;
}

static long stat(int id, int command, uintptr_t buf)
{
	struct msqid64_ds d = { 0 };
	struct ipc_object *o;
	long result = ipc_lock_to_describe(&msg_ids, id, command == IPC_STAT, command != MSG_STAT_ANY, &o);

	if (result)
		return result;
	describe_locked(msg_queue_of(o), &d);
	result = command == IPC_STAT ? 0 : o->id;
	ipc_unlock_put(o);
	return copy_to_user(buf, &d, sizeof(d)) ? -EFAULT : result;
}

static int change_locked(struct msg_queue *q, const struct msqid64_ds *d)
{
	int error;

	if (d->msg_qbytes > READ_ONCE(msg_max_queue) && !service(authority)->capable(CAP_SYS_RESOURCE))
		return -EPERM;
	error = ipc_set_locked(&q->ipc, &d->msg_perm);
	if (error)
		return error;
	q->max_bytes = d->msg_qbytes;
	q->ctime = ipc_now();
	return 0;
}

/* Who waits looks again: he may have lost the right, or there may be room. */
static long change(int id, uintptr_t buf)
{
	struct wake_list wakes;
	struct msqid64_ds d;
	struct ipc_object *o;
	int error;

	if (copy_from_user(&d, buf, sizeof(d)))
		return -EFAULT;
	error = ipc_lock_to_change(&msg_ids, id, &o);
	if (error)
		return error;
	wake_list_init(&wakes);
	error = change_locked(msg_queue_of(o), &d);
	if (!error)
		msg_wake_all_locked(msg_queue_of(o), false, &wakes);
	ipc_unlock_put(o);
	wake_list_deliver(&wakes);
	return error;
}

static long remove(int id)
{
	struct wake_list wakes;
	struct ipc_object *o;
	int error = ipc_lock_to_change(&msg_ids, id, &o);

	if (error)
		return error;
	wake_list_init(&wakes);
	ipc_remove_locked(o, 0);
	msg_wake_all_locked(msg_queue_of(o), true, &wakes);
	ipc_unlock_put(o);
	wake_list_deliver(&wakes);
	ipc_put(o);
	return 0;
}

long sys_msgctl(int32_t id, int32_t command, uintptr_t buf)
{
	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case IPC_INFO: case MSG_INFO: return information(command, buf);
	case IPC_STAT: case MSG_STAT: case MSG_STAT_ANY: return stat(id, command, buf);
	case IPC_SET: return change(id, buf);
	case IPC_RMID: return remove(id);
	}
	return -EINVAL;
}

int msg_show(struct text_out *t)
{
	struct ipc_object *o;

	text_printf(t, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
		       "      stime      rtime      ctime\n");
	for (int at = 0; (o = ipc_lock_next(&msg_ids, &at)); ipc_unlock_put(o)) {
		const struct msg_queue *q = msg_queue_of(o);

		text_printf(t, "%10d %10d  %4o  %10llu %10llu %5d %5d %5u %5u %5u %5u %10lld %10lld %10lld\n", o->key, o->id,
			    o->mode, (unsigned long long)q->bytes, (unsigned long long)q->count, q->sender_pid,
			    q->receiver_pid, o->uid, o->gid, o->cuid, o->cgid, (long long)q->stime, (long long)q->rtime,
			    (long long)q->ctime);
	}
	return 0;
}
