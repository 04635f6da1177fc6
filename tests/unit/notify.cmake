uk_unit_test(notify USES notify uk)
