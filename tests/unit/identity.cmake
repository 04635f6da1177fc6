uk_unit_test(identity USES identity uk)
