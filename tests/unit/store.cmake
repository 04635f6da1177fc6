uk_unit_test(store USES store uk)
