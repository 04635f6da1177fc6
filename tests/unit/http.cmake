uk_unit_test(http SOURCES http_app.c http_peer.c USES http net)
uk_unit_test(http_limits SOURCES http_app.c http_peer.c USES http net)
uk_unit_test(http_pages SOURCES http_app.c http_peer.c USES http net)
uk_unit_test(http_parse USES http net)
