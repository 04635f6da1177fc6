uk_unit_test(loop USES loop uk)
