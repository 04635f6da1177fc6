find_library(SOFTHSM_MODULE NAMES libsofthsm2.so softhsm2 PATHS /usr/lib /usr/lib64 PATH_SUFFIXES softhsm pkcs11)
find_program(SOFTHSM_UTIL softhsm2-util)
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
if(NOT SOFTHSM_MODULE OR NOT SOFTHSM_UTIL)
  message(FATAL_ERROR "The token tests need SoftHSM2 (Debian: softhsm2); set SOFTHSM_MODULE.")
endif()

uk_unit_test(token_message USES token)
uk_unit_test(token SOURCES token_fixture.c USES token LIBS PkgConfig::P11KIT OpenSSL::Crypto)
uk_unit_test(token_pin SOURCES token_fixture.c USES token LIBS PkgConfig::P11KIT OpenSSL::Crypto)
uk_unit_test(token_fault SOURCES token_fixture.c USES token LIBS PkgConfig::P11KIT)
foreach(t token token_pin token_fault)
  target_compile_definitions(unit-${t} PRIVATE
    SOFTHSM_MODULE="${SOFTHSM_MODULE}" SOFTHSM_UTIL="${SOFTHSM_UTIL}"
    UKEY_TOKEN="$<TARGET_FILE:ukey-token>" FAULT_MODULE="$<TARGET_FILE:fault-pkcs11>")
  add_dependencies(unit-${t} ukey-token fault-pkcs11)
endforeach()
