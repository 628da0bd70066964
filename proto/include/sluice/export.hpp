#pragma once
/// @file
/// Symbol visibility: `SLUICE_API` marks what the shared library exports; everything else in it is hidden.

#if defined(__GNUC__)
#define SLUICE_API __attribute__((visibility("default")))
#else
#define SLUICE_API
#endif
