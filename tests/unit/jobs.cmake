uk_unit_test(jobs SOURCES workflow_fixture.c jobs_fakes.c
  USES jobs workflow store ca pay notify identity uk LIBS OpenSSL::Crypto Threads::Threads)
uk_unit_test(jobs_pair SOURCES workflow_fixture.c jobs_fakes.c ca_place.c
  USES jobs workflow store ca km pay notify identity uk LIBS OpenSSL::Crypto Threads::Threads)
