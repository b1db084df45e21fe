/*
 * Which virtual terminal is shown: switching by keys and by calls, and programs that control it.
 *
 * A switch between terminals that nobody controls happens at once, in the keyboard's interrupt. One
 * that a program (VT_PROCESS) must agree to or is told of goes through `wanted` and the thread that
 * draws: signals are sent without vt_lock. An owner that is gone loses its control. All state here
 * and the control fields of struct vt are guarded by vt_lock.
 */
#include "internal.h"
#include "keyboard.h"
#include "vt.h"

#include <linux/capability.h>
#include <linux/kd.h>

static unsigned int shown_index, last_index;
static int wanted = -1;
static bool fixed;			/* VT_LOCKSWITCH */
static struct wait_queue shown_wait = WAIT_QUEUE_INIT(shown_wait);

unsigned int vt_shown(void)
{
	return READ_ONCE(shown_index);
}

/* True if that process is still there. */
static bool tell(struct pid *owner, int sig)
{
	struct process *p = owner ? process_find(owner->nr) : NULL;
	bool there = p && p->pid == owner && sig >= 0 && sig <= 64;

	if (there && sig)
		signal_send_process(p, sig, SIGINFO_KERNEL);
	if (p)
		process_put(p);
	return there;
}

/* Nobody controls it any more. The owner's reference is the caller's. vt_lock held. */
static struct pid *reset_locked(struct vt *v)
{
	struct pid *owner = v->owner;

	v->owner = NULL;
	v->control = (struct vt_mode){ .mode = VT_AUTO };
	v->next = -1;
	if (v->mode != KD_TEXT)
		render_forget();
	WRITE_ONCE(v->mode, KD_TEXT);
	WRITE_ONCE(v->keys.mode, K_UNICODE);
	WRITE_ONCE(v->screen.dirty, 1);
	return owner;
}

/* vt_lock held; after_switch when it was released. */
static void show_locked(struct vt *v)
{
	struct vt *old = vt_at(shown_index);

	if (old->mode != KD_TEXT || v->mode != KD_TEXT)
		render_forget();
	if (v != old)
		last_index = shown_index;
	WRITE_ONCE(v->screen.dirty, 1);
	full_barrier();		/* who draws into it sees it shown, or dirty is seen here */
	WRITE_ONCE(shown_index, v->index);
}

static void after_switch(void)
{
	keyboard_show_lights();
	render_wake();
	wait_wake_all(&shown_wait);
}

/* Ends the control of an owner that did not get its signal, unless another came meanwhile. */
static void drop_owner(unsigned int index, struct pid *owner)
{
	unsigned long flags = spin_lock_irqsave(&vt_lock);
	struct vt *v = vt_at(index);
	struct pid *old = v && v->owner == owner ? reset_locked(v) : NULL;

	spin_unlock_irqrestore(&vt_lock, flags);
	if (old)
		pid_put(old);
}

/* Shows it and tells its owner. */
static void complete(unsigned int index)
{
	unsigned long flags = spin_lock_irqsave(&vt_lock);
	struct vt *v = vt_at(index);
	struct pid *owner = NULL;
	int sig = 0;

	if (!v) {
		spin_unlock_irqrestore(&vt_lock, flags);
		return;
	}
	show_locked(v);
	if (v->control.mode == VT_PROCESS && v->owner) {
		owner = v->owner;
		pid_get(owner);
		sig = v->control.acqsig;
	}
	spin_unlock_irqrestore(&vt_lock, flags);
	after_switch();
	if (!owner)
		return;
	if (!tell(owner, sig))
		drop_owner(index, owner);
	pid_put(owner);
}

/* May the one that is shown be left? vt_lock held. */
static bool may_leave(const struct vt *old)
{
	return !fixed && !(old->control.mode == VT_AUTO && old->mode == KD_GRAPHICS);
}

void vt_request(unsigned int index)
{
	unsigned long flags;
	struct vt *v, *old;
	bool done = false;

	if (index >= MAX_NR_CONSOLES)
		return;
	flags = spin_lock_irqsave(&vt_lock);
	v = vt_at(index);
	old = vt_at(shown_index);
	if (!v || v == old || !may_leave(old)) {
		spin_unlock_irqrestore(&vt_lock, flags);
		return;
	}
	if (old->control.mode == VT_AUTO && v->control.mode == VT_AUTO) {
		show_locked(v);
		done = true;
	} else {
		wanted = (int)index;
	}
	spin_unlock_irqrestore(&vt_lock, flags);
	if (done)
		after_switch();
	else
		render_wake();
}

void vt_request_near(int step)
{
	unsigned int index = vt_shown();

	for (unsigned int i = 0; i < MAX_NR_CONSOLES; i++) {
		index = (index + MAX_NR_CONSOLES + (unsigned int)step) % MAX_NR_CONSOLES;
		if (vt_at(index))
			break;
	}
	vt_request(index);
}

void vt_request_last(void)
{
	vt_request(READ_ONCE(last_index));
}

bool vt_switch_is_wanted(void)
{
	return READ_ONCE(wanted) >= 0;
}

void vt_switch_wanted(void)
{
	unsigned long flags;
	struct pid *owner = NULL;
	struct vt *old;
	unsigned int from;
	int index, sig = 0;

	if (!vt_switch_is_wanted())
		return;
	flags = spin_lock_irqsave(&vt_lock);
	index = wanted;
	wanted = -1;
	from = shown_index;
	old = vt_at(from);
	if (index >= 0 && vt_at((unsigned int)index) && old->control.mode == VT_PROCESS &&
	    old->owner) {
		owner = old->owner;
		pid_get(owner);
		sig = old->control.relsig;
		old->next = index;
	}
	spin_unlock_irqrestore(&vt_lock, flags);
	if (index < 0)
		return;
	if (owner) {
		bool asked = tell(owner, sig);

		if (!asked)
			drop_owner(from, owner);
		pid_put(owner);
		if (asked)
			return;		/* VT_RELDISP goes on */
	}
	complete((unsigned int)index);
}

/* VT_RELDISP: the owner's answer. */
static long release_display(struct vt *v, uintptr_t arg)
{
	unsigned long flags = spin_lock_irqsave(&vt_lock);
	int next = v->next;
	bool controls = v->control.mode == VT_PROCESS;

	if (controls)
		v->next = -1;
	spin_unlock_irqrestore(&vt_lock, flags);
	if (!controls)
		return -EINVAL;
	if (next < 0)
		return arg == VT_ACKACQ ? 0 : -EINVAL;
	if (arg)
		complete((unsigned int)next);
	return 0;
}

static int set_control(struct vt *v, const struct vt_mode *mode)
{
	struct pid *owner = current_process->pid, *old;
	unsigned long flags;

	if (mode->mode != VT_AUTO && mode->mode != VT_PROCESS)
		return -EINVAL;
	pid_get(owner);
	flags = spin_lock_irqsave(&vt_lock);
	old = v->owner;
	v->control = *mode;
	v->control.frsig = 0;
	v->owner = owner;
	v->next = -1;
	spin_unlock_irqrestore(&vt_lock, flags);
	if (old)
		pid_put(old);
	return 0;
}

static long control_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	struct vt_mode mode;
	unsigned long flags;

	if (cmd == VT_GETMODE) {
		flags = spin_lock_irqsave(&vt_lock);
		mode = v->control;
		spin_unlock_irqrestore(&vt_lock, flags);
		return copy_to_user(arg, &mode, sizeof(mode));
	}
	if (!may)
		return -EPERM;
	if (copy_from_user(&mode, arg, sizeof(mode)))
		return -EFAULT;
	return set_control(v, &mode);
}

/* The three fields of struct vt_stat but v_signal, which stays as it is. */
static long get_state(uintptr_t arg)
{
	uint16_t active = (uint16_t)(vt_shown() + 1), state = 1;

	for (unsigned int i = 0; i < 15; i++)
		state |= vt_in_use(i) ? (uint16_t)(2u << i) : 0;
	if (copy_to_user(arg + offsetof(struct vt_stat, v_active), &active, sizeof(active)))
		return -EFAULT;
	return copy_to_user(arg + offsetof(struct vt_stat, v_state), &state, sizeof(state));
}

static long query_free(uintptr_t arg)
{
	for (unsigned int i = 0; i < MAX_NR_CONSOLES; i++)
		if (!vt_in_use(i))
			return user_store_u32(arg, i + 1);
	return user_store_u32(arg, (uint32_t)-1);
}

/* VT_ACTIVATE, and VT_SETACTIVATE with a mode. */
static long activate(uintptr_t number, const struct vt_mode *mode)
{
	struct vt *v;
	int error;

	if (number == 0 || number > MAX_NR_CONSOLES)
		return -ENXIO;
	mutex_lock(&vt_mutex);
	error = vt_make((unsigned int)number - 1, &v);
	if (!error && mode)
		error = set_control(v, mode);
	mutex_unlock(&vt_mutex);
	if (!error)
		vt_request((unsigned int)number - 1);
	return error;
}

static long set_activate(uintptr_t arg)
{
	struct vt_setactivate request;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	request.mode.mode = request.mode.mode == VT_AUTO ? VT_AUTO : VT_PROCESS;
	return activate(request.console, &request.mode);
}

static long disallocate(uintptr_t number)
{
	int error = 0;

	if (number > MAX_NR_CONSOLES)
		return -ENXIO;
	mutex_lock(&vt_mutex);
	if (number)
		error = vt_disallocate((unsigned int)number - 1);
	else
		for (unsigned int i = 1; i < MAX_NR_CONSOLES; i++)
			vt_disallocate(i);	/* those in use stay */
	mutex_unlock(&vt_mutex);
	return error;
}

static long wait_active(uintptr_t number)
{
	if (number == 0 || number > MAX_NR_CONSOLES)
		return -ENXIO;
	return wait_event(&shown_wait, vt_shown() == number - 1, WAIT_INTERRUPTIBLE, TIME_NEVER);
}

static long set_mode(struct vt *v, uintptr_t arg)
{
	unsigned int mode = arg == KD_GRAPHICS ? KD_GRAPHICS : KD_TEXT;
	unsigned long flags;

	if (arg > KD_TEXT1)
		return -EINVAL;
	flags = spin_lock_irqsave(&vt_lock);
	if (v->mode != mode) {
		if (v->index == shown_index)
			render_forget();
		WRITE_ONCE(v->mode, mode);
		WRITE_ONCE(v->screen.dirty, 1);
	}
	spin_unlock_irqrestore(&vt_lock, flags);
	render_soon(&v->screen);
	return 0;
}

static long lock_switching(bool on)
{
	if (!service(authority)->capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	WRITE_ONCE(fixed, on);
	return 0;
}

long vt_switch_ioctl(struct vt *v, unsigned int cmd, uintptr_t arg, bool may)
{
	switch (cmd) {
	case KDGETMODE:
		return user_store_u32(arg, READ_ONCE(v->mode));
	case KDSETMODE:
		return may ? set_mode(v, arg) : -EPERM;
	case VT_GETMODE:
	case VT_SETMODE:
		return control_ioctl(v, cmd, arg, may);
	case VT_GETSTATE:
		return get_state(arg);
	case VT_OPENQRY:
		return query_free(arg);
	case VT_ACTIVATE:
		return may ? activate(arg, NULL) : -EPERM;
	case VT_SETACTIVATE:
		return may ? set_activate(arg) : -EPERM;
	case VT_WAITACTIVE:
		return may ? wait_active(arg) : -EPERM;
	case VT_RELDISP:
		return may ? release_display(v, arg) : -EPERM;
	case VT_DISALLOCATE:
		return disallocate(arg);
	case VT_LOCKSWITCH:
	case VT_UNLOCKSWITCH:
		return lock_switching(cmd == VT_LOCKSWITCH);
	default:
		return -ENOIOCTLCMD;
	}
}
