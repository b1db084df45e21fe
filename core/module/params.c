/*
 * Parameters of modules: "name=value" words, quotes allowed, arrays with commas. Called under module_lock, before init.
 */
#include "internal.h"

#include <asm/errno.h>

#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/slab.h"

static int set_bool(void *to, const char *value)
{
	if (!*value || !strcmp(value, "1") || !strcmp(value, "y") || !strcmp(value, "Y") || !strcmp(value, "on"))
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

	switch (p->type) {
	case PARAM_BOOL:
		return set_bool((bool *)p->value + i, value);
	case PARAM_INT:
		if (str_to_i64(value, NULL, 0, &s) || s != (int)s)
			return -EINVAL;
		((int *)p->value)[i] = (int)s;
		return 0;
	case PARAM_UINT:
		if (str_to_u64(value, NULL, 0, &u) || u != (unsigned int)u)
			return -EINVAL;
		((unsigned int *)p->value)[i] = (unsigned int)u;
		return 0;
	case PARAM_ULONG:
		if (str_to_u64(value, NULL, 0, &u))
			return -EINVAL;
		((unsigned long *)p->value)[i] = u;
		return 0;
	case PARAM_CHARP:
		((const char **)p->value)[i] = value;
		return 0;
	}
	return -EINVAL;
}

static int set_param(const struct module_param *p, char *value)
{
	unsigned int i = 0;
	int error;

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

int module_apply_params(struct module *m, const char *text, const char **why)
{
	char *at, *word;

	m->strings = kstrdup(text, 0);
	if (!m->strings)
		return -ENOMEM;
	at = m->strings;
	while ((word = next_word(&at))) {
		char *value = strchr(word, '=');
		bool found = false;

		if (value)
			*value++ = '\0';
		else
			value = word + strlen(word);
		for (unsigned int i = 0; i < m->descriptor->param_count; i++) {
			const struct module_param *p = &m->descriptor->params[i];

			if (strcmp(p->name, word))
				continue;
			found = true;
			if (set_param(p, value)) {
				module_complain("module %s: parameter %s does not take \"%s\"",
						m->name, word, value);
				*why = "invalid value of a parameter";
				return -EINVAL;
			}
		}
		if (!found)
			module_complain("module %s: unknown parameter %s ignored", m->name, word);
	}
	return 0;
}
