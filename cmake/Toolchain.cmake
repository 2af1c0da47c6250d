# Flags that every target carries, sanitizers, faster linker and compiler cache where they exist.
add_library(novafeed_flags INTERFACE)

target_compile_options(novafeed_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wimplicit-fallthrough
  $<$<BOOL:${NOVAFEED_WERROR}>:-Werror>
  # Scores are equal to the last digit on every build (contract, section 1): no fused multiply-add, no fast-math.
  -ffp-contract=off
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(novafeed_flags INTERFACE -Wno-maybe-uninitialized -Wno-dangling-reference)
endif()

set(NOVAFEED_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (address,undefined or thread)")
if(NOVAFEED_SANITIZE)
  target_compile_options(novafeed_flags INTERFACE -fsanitize=${NOVAFEED_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(novafeed_flags INTERFACE -fsanitize=${NOVAFEED_SANITIZE})
endif()

find_program(NOVAFEED_CCACHE ccache)
if(NOVAFEED_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${NOVAFEED_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${NOVAFEED_CCACHE})
endif()
find_program(NOVAFEED_MOLD mold)
if(NOVAFEED_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
