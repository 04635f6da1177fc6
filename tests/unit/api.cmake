uk_unit_test(api_numbers USES api uk LIBS PkgConfig::JANSSON)
uk_unit_test(api_codes USES api store uk)
