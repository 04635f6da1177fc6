find_package(Threads REQUIRED)
uk_unit_test(sandbox_pay SOURCES sandbox_fixture.c USES sandbox pay http net uk LIBS Threads::Threads)
uk_unit_test(sandbox_bank SOURCES sandbox_fixture.c USES sandbox pay http net uk LIBS Threads::Threads)
uk_unit_test(sandbox_people SOURCES sandbox_fixture.c USES sandbox identity notify pay http net uk LIBS Threads::Threads)
