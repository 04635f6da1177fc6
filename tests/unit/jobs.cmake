uk_unit_test(jobs SOURCES workflow_fixture.c jobs_fakes.c
  USES jobs workflow store ca pay notify identity uk LIBS OpenSSL::Crypto Threads::Threads)
