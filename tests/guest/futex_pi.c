/* Priority-inheriting futexes: every operation and its errors, owners that end, robust lists, timeouts, signals. */
// libc: gcc
// flags: -pthread
// calls: futex set_robust_list
// errors: futex
#include "include/pi.h"

static uint32_t w, v, tid1, tid2;
static volatile uint32_t go;
static long result, error;

static void *locker(void *arg)
{
	set(&tid1, self());
	result = lock_pi(arg);
	error = errno;
	if (!result) {
		tid2 = get(arg);
		unlock_pi(arg);
	}
	return NULL;
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	set(&tid1, 0);
	pthread_create(&t, NULL, fn, arg);
	return t;
}

static void *keep_and_end(void *arg)
{
	lock_pi(arg);
	set(&tid1, self());
	while (!go)
		usleep(500);
	return NULL;
}

static void uncontended(void)
{
	w = 0;
	CHECK_EQ(lock_pi(&w), 0);
	CHECK_EQ(w, self());
	CHECK_ERRNO(lock_pi(&w), EDEADLK);
	CHECK_ERRNO(futex(&w, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_EQ(unlock_pi(&w), 0);
	CHECK_EQ(w, 0);
	CHECK_ERRNO(unlock_pi(&w), EPERM);
	CHECK_EQ(futex(&w, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&w, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(futex(&w, FUTEX_LOCK_PI2_PRIVATE, 0, NULL, NULL, 0), 0);
	w |= FUTEX_WAITERS;		/* nobody waits: the bit goes, too */
	CHECK_EQ(unlock_pi(&w), 0);
	CHECK_EQ(w, 0);
	w = FUTEX_OWNER_DIED;
	CHECK_EQ(lock_pi(&w), 0);
	CHECK_EQ(w, FUTEX_OWNER_DIED | self());
	CHECK_EQ(unlock_pi(&w), 0);
	CHECK_EQ(w, 0);
}

static void errors(void)
{
	struct timespec bad = { 0, 2000000000 };
	uint32_t *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	w = 0;
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&w, FUTEX_UNLOCK_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&w, FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI_PRIVATE, 0, &bad, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI2_PRIVATE, 0, (void *)8, NULL, 0), EFAULT);
	CHECK_ERRNO(lock_pi((uint32_t *)((char *)&w + 1)), EINVAL);
	CHECK_ERRNO(lock_pi((uint32_t *)8), EFAULT);
	CHECK_ERRNO(unlock_pi((uint32_t *)8), EFAULT);
	CHECK_ERRNO(unlock_pi((uint32_t *)((char *)&w + 1)), EPERM);
	CHECK_ERRNO(lock_pi(page), EFAULT);		/* not writable */
	w = FUTEX_TID_MASK - 5;				/* nobody's number */
	CHECK_ERRNO(lock_pi(&w), ESRCH);
	CHECK_EQ(w, FUTEX_WAITERS | (FUTEX_TID_MASK - 5));
	CHECK_ERRNO(futex(&w, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), ESRCH);
	w = v = 0;
	CHECK_ERRNO(futex(&w, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &w, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, NULL, &v, 0), EAGAIN);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &w, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)1, &v, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 0, (void *)1, &v, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)-1ul, &v, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &v, 5), EAGAIN);
	CHECK_EQ(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &v, 0), 0);
	munmap(page, 4096);
}

static void contended(void)
{
	pthread_t t;

	w = 0;
	lock_pi(&w);
	t = start(locker, &w);
	until_contended(&w);
	until_asleep(&tid1);
	CHECK_EQ(w, FUTEX_WAITERS | self());
	CHECK_ERRNO(futex(&w, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_REQUEUE_PRIVATE, 1, (void *)1, &v, 0), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &v, FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)), EINVAL);
	CHECK_EQ(unlock_pi(&w), 0);
	pthread_join(t, NULL);
	CHECK_EQ(result, 0);
	CHECK_EQ(tid2, FUTEX_WAITERS | tid1);
	CHECK_EQ(w, 0);
}

/* The word is changed behind the kernel's back. */
static void manipulated(void)
{
	uint32_t me = self();
	pthread_t t;

	w = 0;
	lock_pi(&w);
	t = start(locker, &w);
	until_contended(&w);
	until_asleep(&tid1);
	set(&w, FUTEX_WAITERS | 1);
	CHECK_ERRNO(lock_pi(&w), EINVAL);
	CHECK_ERRNO(unlock_pi(&w), EPERM);
	set(&w, 0);
	CHECK_ERRNO(lock_pi(&w), EINVAL);
	set(&w, FUTEX_WAITERS | me);
	CHECK_EQ(unlock_pi(&w), 0);
	pthread_join(t, NULL);
	CHECK_EQ(result, 0);
}

static void *plain_waiter(void *arg)
{
	set(&tid1, self());
	result = futex(arg, FUTEX_WAIT_PRIVATE, get(arg), NULL, NULL, 0);
	return NULL;
}

static void mixtures(void)
{
	pthread_t t;

	w = v = 0;
	t = start(plain_waiter, &w);
	until_asleep(&tid1);
	CHECK_ERRNO(lock_pi(&w), EINVAL);
	CHECK_ERRNO(futex(&w, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &v, 0), EINVAL);
	w = self();
	CHECK_ERRNO(unlock_pi(&w), EINVAL);
	CHECK_EQ(futex(&w, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	pthread_join(t, NULL);
}

static void *times_out(void *arg)
{
	struct timespec t = after_ms(CLOCK_REALTIME, 30);

	(void)arg;
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
	t = after_ms(CLOCK_MONOTONIC, 30);
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI2_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
	t = after_ms(CLOCK_REALTIME, 30);
	CHECK_ERRNO(futex(&w, FUTEX_LOCK_PI2_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &t, NULL, 0), ETIMEDOUT);
	CHECK_ERRNO(futex(&w, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
	return NULL;
}

static void timeouts(void)
{
	struct timespec past = { 1, 0 };
	pthread_t t;

	w = v = 0;
	lock_pi(&w);
	t = start(times_out, NULL);
	pthread_join(t, NULL);
	CHECK_EQ(w, FUTEX_WAITERS | self());
	CHECK_EQ(unlock_pi(&w), 0);
	CHECK_EQ(w, 0);
	CHECK_EQ(futex(&w, FUTEX_LOCK_PI_PRIVATE, 0, &past, NULL, 0), 0);	/* free: no wait, no timeout */
	CHECK_EQ(unlock_pi(&w), 0);
	CHECK_ERRNO(futex(&v, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &past, &w, 0), ETIMEDOUT);
}

static uint32_t handled;
static void count(int sig) { (void)sig; __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST); }

/* A handler without SA_RESTART does not end the wait. */
static void signals(void)
{
	struct sigaction act = { .sa_handler = count };
	pthread_t t;

	sigaction(SIGUSR1, &act, NULL);
	w = handled = 0;
	lock_pi(&w);
	t = start(locker, &w);
	until_contended(&w);
	until_asleep(&tid1);
	for (uint32_t i = 1; i <= 3; i++) {
		pthread_kill(t, SIGUSR1);
		while (get(&handled) < i)
			usleep(500);
		until_asleep(&tid1);
	}
	CHECK_EQ(unlock_pi(&w), 0);
	pthread_join(t, NULL);
	CHECK_EQ(result, 0);
}

static void *wait_and_go(void *arg)
{
	until_contended(&w);
	usleep(20000);
	go = 1;
	return arg;
}

static void owners_end(void)
{
	pthread_t t, end;

	w = go = 0;
	t = start(keep_and_end, &w);
	while (!get(&tid1))
		usleep(500);
	go = 1;
	pthread_join(t, NULL);
	CHECK_ERRNO(lock_pi(&w), ESRCH);
	w = go = 0;
	t = start(keep_and_end, &w);
	while (!get(&tid1))
		usleep(500);
	pthread_create(&end, NULL, wait_and_go, NULL);
	CHECK_EQ(lock_pi(&w), 0);
	CHECK_EQ(w, FUTEX_WAITERS | FUTEX_OWNER_DIED | self());
	pthread_join(end, NULL);
	pthread_join(t, NULL);
	CHECK_EQ(unlock_pi(&w), 0);
}

struct robust_node { struct robust_list list; uint32_t word; };

static void *robust_owner(void *arg)
{
	struct robust_node *n = arg;
	static struct robust_list_head head;

	head.list.next = (void *)((uintptr_t)&n->list | 1);
	n->list.next = &head.list;
	head.futex_offset = offsetof(struct robust_node, word);
	syscall(SYS_set_robust_list, &head, sizeof(head));
	return keep_and_end(&n->word);
}

static void robust(void)
{
	static struct robust_node n;
	pthread_t t;

	go = 0;
	t = start(robust_owner, &n);
	while (!get(&tid1))
		usleep(500);
	go = 1;
	pthread_join(t, NULL);
	CHECK_EQ(n.word, FUTEX_OWNER_DIED);
	CHECK_EQ(lock_pi(&n.word), 0);
	CHECK_EQ(n.word, FUTEX_OWNER_DIED | self());
	CHECK_EQ(unlock_pi(&n.word), 0);
	CHECK_EQ(n.word, 0);
}

/* Two processes, two mappings, an owner that is killed. */
static void shared(void)
{
	uint32_t *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child = fork();

	if (!child) {
		uint32_t *moved = mremap(one, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)one + (64 << 20));

		if (futex(moved, FUTEX_LOCK_PI, 0, NULL, NULL, 0))
			_exit(1);
		set(&moved[1], 1);
		until_contended(moved);
		usleep(20000);
		if (futex(moved, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0))
			_exit(2);
		while (get(&moved[1]) != 2)
			usleep(500);
		if (futex(moved, FUTEX_LOCK_PI, 0, NULL, NULL, 0))
			_exit(3);
		set(&moved[1], 3);
		until_contended(moved);
		usleep(20000);
		kill(getpid(), SIGKILL);
	}
	while (get(&one[1]) != 1)
		usleep(500);
	CHECK_EQ(futex(one, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(futex(one, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	set(&one[1], 2);
	while (get(&one[1]) != 3)
		usleep(500);
	CHECK_EQ(futex(one, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(*one, FUTEX_WAITERS | FUTEX_OWNER_DIED | self());
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(futex(one, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	munmap(one, 8192);
}

int main(void)
{
	uncontended();
	errors();
	contended();
	manipulated();
	mixtures();
	timeouts();
	signals();
	owners_end();
	robust();
	shared();
	return test_done();
}
