# One interface target carries the warning set, the hardening and, when asked for, the sanitizers.
option(UK_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(UK_FUZZ "Build the libFuzzer targets (clang)" OFF)

add_library(uk_flags INTERFACE)
target_compile_options(uk_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wwrite-strings
  -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wimplicit-fallthrough -Wswitch-enum
  -Wbad-function-cast -Wformat -Wformat-security -fno-common -fstack-protector-strong -fno-strict-aliasing)

if(UK_SANITIZE)
  # A frame-size limit says nothing under ASan's redzones, so the two exclude each other.
  target_compile_options(uk_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(uk_flags INTERFACE -fsanitize=address,undefined)
else()
  target_compile_options(uk_flags INTERFACE -Wframe-larger-than=4096)
  target_compile_options(uk_flags INTERFACE $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
if(UK_FUZZ)
  target_compile_options(uk_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_options(uk_flags INTERFACE -Wl,-z,relro,-z,now)
