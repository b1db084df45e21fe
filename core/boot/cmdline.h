/*
 * Command line, the parts that only the start-up code calls; see boot.h for the rest.
 */
#pragma once

/* Splits boot_info.cmdline. Once, early. */
void cmdline_parse(void);
/* Logs the words that nobody of the kernel understands. */
void cmdline_report_unknown(void);
