/*
 * Command line, the parts that only the start-up code calls; see boot.h for the rest.
 */
#pragma once

#include "core/lib/types.h"

/* Splits boot_info.cmdline. Once, early. */
void cmdline_parse(void);
/* mitigations=off: leave out what only speculation makes necessary. All other values mean auto. */
bool cmdline_mitigations_off(void);
/* Logs the words that nobody of the kernel understands. */
void cmdline_report_unknown(void);
