/* SPDX-License-Identifier: BSD-3-Clause */
/* Nothing. The headers of FreeRADIUS's library include this one, which neither Debian's libfreeradius-dev nor the
 * upstream installation contains. */
