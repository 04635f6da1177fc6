pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
uk_unit_test(fault_key SOURCES daemon_world.c daemon_client.c daemon_issue.c
  USES uk LIBS OpenSSL::Crypto PkgConfig::P11KIT)
target_compile_definitions(unit-fault_key PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" FAULT_MODULE="$<TARGET_FILE:fault-pkcs11>"
  SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so")
add_dependencies(unit-fault_key ukeyd ukey-native ukey-token fault-pkcs11)
# It waits for modules that hang.
set_tests_properties(unit-fault_key PROPERTIES LABELS fault TIMEOUT 300)
