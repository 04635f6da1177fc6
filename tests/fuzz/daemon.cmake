fuzz_target(assuan USES policy)
fuzz_target(rpc SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/daemon_conn.c
  USES protocol policy loop uk LIBS OpenSSL::Crypto)
target_include_directories(fuzz-rpc PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit)
fuzz_target(enveloped USES protocol token uk LIBS OpenSSL::Crypto)
fuzz_target(sm2 USES uk)
