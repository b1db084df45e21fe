/*
 * The walk from a name to a path against the walk of the machine that runs the test: the same tree of directories, files and
 * links in a scratch directory, random names, and the same node or error from path_lookup() as from openat2(2) that takes
 * the directory for the root. Half of the directories are known to the cache alone, the others are asked for each name.
 */
// sources: modules/vfs/walk.c modules/vfs/walk_fast.c modules/vfs/dentry.c core/lib/rbtree.c
// flags: -include sys/stat.h
// timeout: 120
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"

#include "modules/vfs/dentry.h"
#include "modules/vfs/walk.h"

#define NODES 220
#define WALKS 60000
#define NAMES 7

int open(const char *, int, ...);

struct node {
	struct inode inode;
	struct dentry *dentry;		/* of directories */
	int parent;
	char name[NAME_LENGTH_MAX + 1];
	char text[PATH_SIZE_MAX];
	unsigned long host_ino;
};

static struct node nodes[NODES];
static int node_count;
static char long_name[NAME_LENGTH_MAX + 1];
static const char *const names[NAMES] = { "a", "b", "cc", "link", "dir", "x", long_name };
static struct mount only_mount;
static struct super only_super = { .refs = { 1 } };
static struct fs_context fs;
static struct vfs_thread thread_part = { .fs = &fs };
static unsigned int seed = 5;
static int scratch_fd;
static long long held;

int vfs_slot;

/* ---- what the walk wants of the rest ---- */

struct kmem_cache { size_t size; };
static struct kmem_cache only_cache;

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	(void)name;
	(void)align;
	only_cache.size = size;
	return &only_cache;
}

void kmem_cache_destroy(struct kmem_cache *c) { (void)c; }
void *kmem_cache_alloc(struct kmem_cache *c, unsigned int flags) { (void)flags; held++; return calloc(1, c->size); }
void kmem_cache_free(struct kmem_cache *c, void *p) { (void)c; held--; free(p); }
void *kmalloc(size_t size, unsigned int flags) { (void)flags; held++; return calloc(1, size); }
void *kmalloc_array(size_t n, size_t size, unsigned int flags) { return kmalloc(n * size, flags); }
void kfree(const void *p) { held -= p != NULL; free((void *)p); }
void *vmalloc(size_t size) { return calloc(1, size); }
void vfree(void *p) { free(p); }
uint64_t page_total(void) { return 4096; }
void might_sleep(void) { }
void mutex_lock_slow(struct mutex *m) { (void)m; panic("mutex is taken"); }
void mutex_unlock_slow(struct mutex *m) { (void)m; }
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *)) { fn(head); }
void rcu_barrier(void) { }
struct name_buffer *name_buffer_alloc(size_t n) { return kmalloc(sizeof(struct name_buffer) + n + 1, 0); }
long copy_string_from_user(char *to, struct ustr from, size_t n) { (void)to; (void)from; (void)n; return -EFAULT; }
int fd_get_raw(int fd, struct fd_ref *out) { (void)fd; (void)out; return -EBADF; }
void file_put(struct file *f) { (void)f; }
void inode_put(struct inode *i) { if (refcount_put(&i->refs)) panic("the last reference of node %ld", (long)i->ino); }
struct mount *mount_lookup_rcu(struct mount *m, struct dentry *d) { (void)m; (void)d; return NULL; }
void super_put(struct super *s) { if (refcount_put(&s->refs)) panic("the last reference of the super block"); }
void mount_put(struct mount *m) { if (refcount_put(&m->refs)) panic("the last reference of the mount"); }
bool path_follow_mounts(struct path *p) { (void)p; return false; }
bool path_leave_mount(struct path *p) { (void)p; return false; }
/* The tree has no sticky directories that all may write: no link is refused. */
int protected_may_follow(const struct inode *dir, const struct inode *link) { (void)dir; (void)link; return 0; }
unsigned int mount_sequence(void) { return 0; }
void path_touch_atime(const struct path *p) { (void)p; }
void path_put(const struct path *p) { dentry_put(p->dentry); mount_put(p->mount); }
int fs_get_root(struct path *p) { *p = fs.root; path_get(p); return 0; }
int fs_get_cwd(struct path *p) { *p = fs.cwd; path_get(p); return 0; }

/* Somebody who owns nothing. */
int inode_permission(struct inode *inode, int mask) { return (inode->mode & 7 & (unsigned int)mask) == (unsigned int)mask ? 0 : -EACCES; }

/* ---- the tree ---- */

static int child_of(int parent, const char *name, size_t n)
{
	for (int i = 1; i < node_count; i++)
		if (nodes[i].parent == parent && strlen(nodes[i].name) == n && !memcmp(nodes[i].name, name, n))
			return i;
	return -1;
}

static int node_lookup(struct inode *dir, struct dentry *d)
{
	int i = child_of((int)dir->ino, d->name, d->name_length);

	if (i >= 0) {
		refcount_get(&nodes[i].inode.refs);
		dentry_attach(d, &nodes[i].inode);
	}
	return 0;
}

static long node_readlink(struct dentry *d, char *buf, size_t size)
{
	const char *text = nodes[d->inode->ino].text;
	size_t n = strlen(text);

	n = n < size ? n : size;
	memcpy(buf, text, n);
	return (long)n;
}

static const struct inode_ops cached_ops = { .lookup = NULL, .no_negative = true };
static const struct inode_ops asked_ops = { .lookup = node_lookup };
static bool node_revalidate(struct inode *dir, struct dentry *d) { (void)dir; return dentry_is_dir(d) || rand_r(&seed) & 1; }
static const struct inode_ops doubtful_ops = { .lookup = node_lookup, .revalidate = node_revalidate, .no_negative = true };
static const struct inode_ops link_ops = { .readlink = node_readlink };
static const struct inode_ops file_ops_none;

static void random_text(char *out, int parts)
{
	static const char *const special[] = { ".", "..", "..", "", "missing" };

	*out = 0;
	if (rand_r(&seed) % 4 == 0)
		strcat(out, "/");
	for (int i = 0; i < parts; i++) {
		strcat(out, rand_r(&seed) % 3 ? names[rand_r(&seed) % NAMES] : special[rand_r(&seed) % 5]);
		if (i + 1 < parts || rand_r(&seed) % 5 == 0)
			strcat(out, rand_r(&seed) % 8 ? "/" : "//");
	}
}

static void host_path(int i, char *out)
{
	if (i == 0) {
		strcpy(out, ".");
		return;
	}
	host_path(nodes[i].parent, out);
	strcat(out, "/");
	strcat(out, nodes[i].name);
}

static void make_inode(struct node *n, uint32_t mode)
{
	refcount_init(&n->inode.refs, 1);
	n->inode.ino = (uint64_t)(n - nodes);
	n->inode.mode = mode;
	n->inode.super = &only_super;
}

/* One more node below a random directory; false if the name is taken. */
static bool add_node(void)
{
	static char path[65536];
	struct node *n = &nodes[node_count];
	int parent = (int)(rand_r(&seed) % (unsigned int)node_count), kind = (int)(rand_r(&seed) % 5);
	struct dentry *d;

	strcpy(n->name, names[rand_r(&seed) % NAMES]);
	if (!inode_is_dir(&nodes[parent].inode) || child_of(parent, n->name, strlen(n->name)) >= 0)
		return false;
	n->parent = parent;
	host_path(parent, path);
	if (strlen(path) > 2500)
		return false;
	strcat(path, "/");
	strcat(path, n->name);
	if (kind < 2) {
		make_inode(n, S_IFDIR | (rand_r(&seed) % 12 ? 0755 : 0700));
		n->inode.ops = kind ? &cached_ops : rand_r(&seed) & 1 ? &asked_ops : &doubtful_ops;
		CHECK(mkdir(path, 0700) == 0 && chmod(path, n->inode.mode & 0777) == 0);
	} else if (kind == 2) {
		make_inode(n, S_IFREG | 0644);
		n->inode.ops = &file_ops_none;
		close(open(path, 0101, 0644));
	} else {
		make_inode(n, S_IFLNK | 0777);
		do
			random_text(n->text, 1 + (int)(rand_r(&seed) % 4));
		while (!*n->text);
		n->inode.ops = &link_ops;
		if (kind == 3)
			n->inode.link_text = n->text;
		CHECK(symlink(n->text, path) == 0);
	}
	node_count++;
	if (nodes[parent].inode.ops == &cached_ops || inode_is_dir(&n->inode)) {
		CHECK(dentry_child(nodes[parent].dentry, n->name, strlen(n->name), &d) == 0);
		if (!d->inode) {
			refcount_get(&n->inode.refs);
			dentry_attach(d, &n->inode);
		}
		dentry_pin(d);
		n->dentry = d;
	}
	return true;
}

static void make_tree(void)
{
	make_inode(&nodes[0], S_IFDIR | 0755);
	nodes[0].inode.ops = &cached_ops;
	refcount_get(&nodes[0].inode.refs);
	nodes[0].dentry = dentry_create_root(&nodes[0].inode);
	CHECK(nodes[0].dentry);
	refcount_init(&only_mount.refs, 1);
	only_mount.root = nodes[0].dentry;
	fs.root.mount = fs.cwd.mount = &only_mount;
	fs.root.dentry = fs.cwd.dentry = nodes[0].dentry;
	refcount_init(&fs.refs, 1);
	node_count = 1;
	for (int tries = 0; node_count < NODES && tries < 100000; tries++)
		add_node();
}

/* ---- the comparison ---- */

struct open_how_words {
	uint64_t flags, mode, resolve;
};

#define HOST_O_PATH 010000000
#define HOST_O_NOFOLLOW 0400000
#define HOST_O_DIRECTORY 0200000

/* The node that the machine finds, or a negative errno. */
static long host_lookup(int dir, const char *name, unsigned int flags, uint64_t resolve)
{
	struct open_how_words how = { HOST_O_PATH, 0, resolve };
	char buf[4096];
	long fd, n;

	if (!(flags & WALK_FOLLOW))
		how.flags |= HOST_O_NOFOLLOW;
	if (flags & WALK_DIRECTORY)
		how.flags |= HOST_O_DIRECTORY;
	fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	n = syscall(SYS_statx, (int)fd, "", 0x1000, 0x100, buf);	/* AT_EMPTY_PATH, STATX_INO */
	close((int)fd);
	if (n < 0)
		return -errno;
	memcpy(&n, buf + 0x20, sizeof(n));
	for (int i = 0; i < node_count; i++)
		if (nodes[i].host_ino == (unsigned long)n)
			return i;
	return -9999;
}

static long own_lookup(const char *name, unsigned int flags, uint64_t resolve)
{
	struct path p;
	int error = path_lookup(AT_FDCWD, name, flags | WALK_RESOLVE(resolve), &p);
	long found;

	if (error)
		return error;
	found = (long)p.dentry->inode->ino;
	path_put(&p);
	return found;
}

static void learn_inodes(void)
{
	static char path[65536];

	for (int i = 0; i < node_count; i++) {
		char buf[4096];
		long n;

		host_path(i, path);
		n = syscall(SYS_statx, AT_FDCWD, path, 0x100, 0x100, buf);	/* AT_SYMLINK_NOFOLLOW */
		CHECK(n == 0);
		memcpy(&nodes[i].host_ino, buf + 0x20, sizeof(nodes[i].host_ino));
	}
}

static void compare(void)
{
	static char name[PATH_SIZE_MAX * 2];
	long found[3] = { 0 };
	int differ = 0;

	for (int i = 0; i < WALKS && differ < 10; i++) {
		static const uint64_t kinds[] = { 0, RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
		uint64_t resolve = kinds[rand_r(&seed) % 3 ? 0 : rand_r(&seed) % 4];
		unsigned int flags = (rand_r(&seed) & 1 ? WALK_FOLLOW : 0) | (rand_r(&seed) % 6 ? 0 : WALK_DIRECTORY);
		long own, host;

		random_text(name, 1 + (int)(rand_r(&seed) % 9));
		own = own_lookup(name, flags, resolve);
		host = host_lookup(scratch_fd, name, flags, resolve ? resolve : RESOLVE_IN_ROOT);
		/* O_NOFOLLOW with O_DIRECTORY on a link: openat2 says ELOOP or ENOTDIR by kind; a walk is ENOTDIR. */
		if (own != host && !(own == -ENOTDIR && host == -ELOOP && !(flags & WALK_FOLLOW))) {
			printf("\"%s\" flags %x resolve %llx: %ld, the machine says %ld\n", name, flags,
			       (unsigned long long)resolve, own, host);
			differ++;
		}
		found[own >= 0 ? 0 : own == -ENOENT ? 1 : 2]++;
	}
	CHECK(differ == 0);
	/* The names are of use only if they lead everywhere. */
	CHECK(found[0] > WALKS / 20 && found[1] > WALKS / 20 && found[2] > WALKS / 20);
}

static void limits(void)
{
	static char name[PATH_SIZE_MAX];

	memset(name, 'n', NAME_LENGTH_MAX + 1);
	CHECK(own_lookup(name, 0, 0) == -ENAMETOOLONG && host_lookup(scratch_fd, name, 0, 0) == -ENAMETOOLONG);
	name[NAME_LENGTH_MAX] = 0;
	CHECK(own_lookup(name, 0, 0) == host_lookup(scratch_fd, name, 0, 0));
	CHECK(own_lookup("", 0, 0) == -ENOENT && own_lookup("", WALK_EMPTY, 0) == 0);
	CHECK(own_lookup("/", 0, RESOLVE_BENEATH) == -EXDEV && host_lookup(scratch_fd, "/", 0, RESOLVE_BENEATH) == -EXDEV);
}

int main(void)
{
	char scratch[] = "/tmp/path_walk.XXXXXX", command[100];

	memset(long_name, 'L', NAME_LENGTH_MAX);
	CHECK(mkdtemp(scratch) && chmod(scratch, 0755) == 0 && chdir(scratch) == 0);
	host_thread->data[0] = &thread_part;
	CHECK(dentry_cache_init() == 0);
	make_tree();
	learn_inodes();
	scratch_fd = open(".", HOST_O_PATH);
	CHECK(scratch_fd >= 0);
	if (getuid() == 0)
		CHECK(seteuid(65534) == 0);
	compare();
	limits();
	if (getuid() == 0)
		CHECK(seteuid(0) == 0);
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	CHECK(chdir("/") == 0 && system(command) == 0);
	return check_done();
}
