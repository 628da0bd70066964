#pragma once
/// @file
/// `SLUICE_API` marks what the shared library shows; everything else in it is hidden.

#if defined(__GNUC__)
#define SLUICE_API __attribute__((visibility("default")))
#else
#define SLUICE_API
#endif
