/*
 * Parameters of modules: "name=value" words up to "--", quotes allowed, arrays with commas. Called under module_lock, before init.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"

static int set_bool(void *to, const char *value)
{
	if (!strcmp(value, "1") || !strcmp(value, "y") || !strcmp(value, "Y") || !strcmp(value, "on"))
		*(bool *)to = true;
	else if (!strcmp(value, "0") || !strcmp(value, "n") || !strcmp(value, "N") || !strcmp(value, "off"))
		*(bool *)to = false;
	else
		return -EINVAL;
	return 0;
}

/* One element at index `i`. */
static int set_element(const struct module_param *p, unsigned int i, char *value)
{
	uint64_t u;
	int64_t s;
	int error;

	switch (p->type) {
	case PARAM_BOOL:
		return set_bool((bool *)p->value + i, value);
	case PARAM_INT:
		error = str_to_i64(value, NULL, 0, &s);
		if (error || s != (int)s)
			return error ? error : -ERANGE;
		((int *)p->value)[i] = (int)s;
		return 0;
	case PARAM_UINT:
		error = str_to_u64(value + (*value == '+'), NULL, 0, &u);
		if (error || u != (unsigned int)u)
			return error ? error : -ERANGE;
		((unsigned int *)p->value)[i] = (unsigned int)u;
		return 0;
	case PARAM_ULONG:
		error = str_to_u64(value + (*value == '+'), NULL, 0, &u);
		if (error)
			return error;
		((unsigned long *)p->value)[i] = u;
		return 0;
	case PARAM_CHARP:
		((const char **)p->value)[i] = value;
		return 0;
	}
	return -EINVAL;
}

/* `value` is null for a name alone, which only switches take. */
static int set_param(const struct module_param *p, char *value)
{
	unsigned int i = 0;
	int error;

	if (!value)
		return p->type == PARAM_BOOL ? set_bool(p->value, "1") : -EINVAL;
	if (p->max <= 1)
		return set_element(p, 0, value);
	for (;; i++) {
		char *comma = strchr(value, ',');

		if (i == p->max)
			return -EINVAL;
		if (comma)
			*comma = '\0';
		error = set_element(p, i, value);
		if (error || !comma)
			break;
		value = comma + 1;
	}
	if (!error && p->count)
		*p->count = i + 1;
	return error;
}

/* Cuts the next word off *at, quotes removed; null at the end. */
static char *next_word(char **at)
{
	char *in = *at, *word, *out;
	bool quoted = false;

	while (*in == ' ' || *in == '\t' || *in == '\n')
		in++;
	if (!*in)
		return NULL;
	for (word = out = in; *in && (quoted || (*in != ' ' && *in != '\t' && *in != '\n')); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	*at = *in ? in + 1 : in;
	*out = '\0';
	return word;
}

/* Names of parameters may be written with either sign. */
static bool same_name(const char *a, const char *b)
{
	while (*a && (*a == '-' ? '_' : *a) == (*b == '-' ? '_' : *b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

int module_apply_params(struct module *m, const char *text, const char **why)
{
	char *at, *word;
	int error;

	m->strings = kstrdup(text, 0);
	if (!m->strings)
		return -ENOMEM;
	at = m->strings;
	while ((word = next_word(&at))) {
		char *value = strchr(word, '=');
		bool found = false;

		if (!strcmp(word, "--"))
			break;		/* what follows is meant for somebody else */
		if (value)
			*value++ = '\0';
		for (unsigned int i = 0; i < m->descriptor->param_count; i++) {
			const struct module_param *p = &m->descriptor->params[i];

			if (!same_name(p->name, word))
				continue;
			found = true;
			error = set_param(p, value);
			if (error) {
				module_complain("module %s: parameter %s does not take \"%s\"",
						m->name, word, value ? value : "");
				*why = "invalid value of a parameter";
				return error;
			}
		}
		if (!found)
			module_complain("module %s: unknown parameter %s ignored", m->name, word);
	}
	return 0;
}
