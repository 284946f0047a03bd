// SPDX-License-Identifier: Apache-2.0
// <sys/pidfd.h> with C linkage, which glibc 2.36 forgot to give it. Internal to os/.
#pragma once

#include <fcntl.h>
#include <signal.h>

extern "C" {
#include <sys/pidfd.h>
}
