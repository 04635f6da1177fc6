pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1)
# Modules that are wrong on purpose; two of them are waited for.
uk_unit_test(skf_flaws SOURCES daemon_world.c daemon_client.c daemon_issue.c
  USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-skf_flaws PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so"
  FAKE_DIR="${CMAKE_BINARY_DIR}/fake")
add_dependencies(unit-skf_flaws ukeyd ukey-token fake-skf)
set_tests_properties(unit-skf_flaws PROPERTIES LABELS fault TIMEOUT 300)

uk_unit_test(token_skf SOURCES token_fixture.c USES token uk LIBS PkgConfig::P11KIT OpenSSL::Crypto)
target_compile_definitions(unit-token_skf PRIVATE
  SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so" SOFTHSM_UTIL="softhsm2-util"
  UKEY_TOKEN="$<TARGET_FILE:ukey-token>" FAULT_MODULE="" UKEY="$<TARGET_FILE:ukey>"
  SOFT_MODULE="$<TARGET_FILE:ukey-soft>")
add_dependencies(unit-token_skf ukey-token ukey ukey-soft)

uk_unit_test(token_hotplug USES token)
set_tests_properties(unit-token_hotplug PROPERTIES SKIP_RETURN_CODE 77)

uk_unit_test(skf_soft SOURCES daemon_world.c daemon_client.c daemon_issue.c daemon_sm2_envelope.c
  USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-skf_soft PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" UKEY="$<TARGET_FILE:ukey>"
  SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so" SOFT_MODULE="$<TARGET_FILE:ukey-soft>")
add_dependencies(unit-skf_soft ukeyd ukey ukey-token ukey-soft)
set_tests_properties(unit-skf_soft PROPERTIES LABELS fault TIMEOUT 300)

target_compile_definitions(unit-daemon_policy PRIVATE
  MODULES="${CMAKE_SOURCE_DIR}/daemon/policy/modules.json")

uk_unit_test(skf_unlock SOURCES daemon_world.c daemon_client.c daemon_issue.c daemon_ticket.c
  USES uk LIBS OpenSSL::Crypto)
target_compile_definitions(unit-skf_unlock PRIVATE
  UKEYD="$<TARGET_FILE:ukeyd>" NATIVE="$<TARGET_FILE:ukey-native>" EXTENSION_ID="${development_id}"
  PINENTRY="${CMAKE_SOURCE_DIR}/tests/fake/pinentry" UKEY="$<TARGET_FILE:ukey>"
  SOFTHSM_MODULE="/usr/lib/softhsm/libsofthsm2.so" SOFT_MODULE="$<TARGET_FILE:ukey-soft>")
add_dependencies(unit-skf_unlock ukeyd ukey ukey-token ukey-soft)
set_tests_properties(unit-skf_unlock PROPERTIES LABELS fault TIMEOUT 300)
