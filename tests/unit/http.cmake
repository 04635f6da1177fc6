uk_unit_test(http SOURCES http_peer.c USES http net)
uk_unit_test(http_parse USES http net)
