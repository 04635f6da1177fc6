uk_unit_test(api_numbers USES api uk LIBS PkgConfig::JANSSON)
