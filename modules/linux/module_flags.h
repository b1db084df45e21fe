/*
 * What this kernel adds to finit_module(2): plain numbers, for user programs, too.
 */
#pragma once

/* Puts the module in the place of the one of the same name that is loaded, while that is in use. ENOENT: none is; EBUSY: it cannot be now. */
#define MODULE_INIT_REPLACE 0x40000000
