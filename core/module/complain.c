/*
 * What the log says of modules that are refused, once for each attempt of a user's program.
 *
 * Programs that load modules hand a refused image over a second time, by the older call (busybox's
 * insmod does): the same process would read each line twice. What a process is told is kept until
 * another one's module is refused, and a line that was kept is taken for said, one time. Nothing is
 * kept of threads without a process. Own lock, below all others of the loader. May sleep nowhere.
 */
#include "internal.h"

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/services.h"
#include "core/sync/spinlock.h"

#define LINES_MAX 4
#define LINE_SIZE 200

static struct spinlock lock = SPINLOCK_INIT(lock);
static int pid_told;
static char told[LINES_MAX][LINE_SIZE];		/* empty: none */

/* Is it said already? Keeps it if not. */
static bool said(const char *line)
{
	int pid = service(process)->pid(), unused = -1;
	unsigned long flags;
	bool found = false;

	if (!pid)
		return false;
	flags = spin_lock_irqsave(&lock);
	if (pid != pid_told)
		memset(told, 0, sizeof(told));
	pid_told = pid;
	for (int i = 0; i < LINES_MAX && !found; i++) {
		found = told[i][0] && !strcmp(told[i], line);
		if (found)
			told[i][0] = '\0';
		else if (!told[i][0] && unused < 0)
			unused = i;
	}
	if (!found && unused >= 0)
		str_copy(told[unused], line, LINE_SIZE);
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

void module_complain(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!said(line))
		log_err("%s", line);
}
