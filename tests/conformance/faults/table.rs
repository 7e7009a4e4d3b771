//! The faults, in the order of the checks.

/// A fault, and the check that is to find it.
pub(crate) struct Fault {
    pub(crate) check: u64,
    pub(crate) name: &'static str,
    /// The plugin that it is a fault of.
    pub(crate) base: &'static str,
    /// The version that the configuration asks for.
    pub(crate) version: &'static str,
    /// In front of the plugin without faults.
    pub(crate) shell: &'static str,
}

const fn of(base: &'static str, check: u64, name: &'static str, shell: &'static str) -> Fault {
    Fault { check, name, base, version: "1.1.0", shell }
}

const fn noop(check: u64, name: &'static str, shell: &'static str) -> Fault {
    of("noop", check, name, shell)
}

pub(crate) const FAULTS: &[Fault] = &[
    noop(101, "no_versions", r#"on VERSION && answer '{"cniVersion":"1.1.0"}'"#),
    noop(
        102,
        "a_version_that_is_none",
        r#"on VERSION && answer '{"cniVersion":"1.1.0","supportedVersions":["1.1.0","latest"]}'"#,
    ),
    noop(103, "version_needs_a_path", r#"on VERSION && [ -z "${CNI_PATH-}" ] && fail 4"#),
    noop(104, "version_needs_stdin", r#"on VERSION && [ -z "$input" ] && fail 6"#),
    noop(
        201,
        "add_makes_up_an_interface_name",
        r#"on ADD && [ -n "${CNI_CONTAINERID-}" ] && export CNI_IFNAME="${CNI_IFNAME-eth0}""#,
    ),
    noop(202, "del_makes_up_an_interface_name", r#"on DEL && export CNI_IFNAME="${CNI_IFNAME-eth0}""#),
    noop(203, "check_makes_up_an_interface_name", r#"on CHECK && export CNI_IFNAME="${CNI_IFNAME-eth0}""#),
    noop(204, "gc_makes_up_a_path", r#"on GC && export CNI_PATH="${CNI_PATH-/opt/cni/bin}""#),
    noop(
        205,
        "an_empty_name_is_taken_for_a_name",
        r#"on ADD && [ "${CNI_IFNAME-unset}" = "" ] && export CNI_IFNAME=eth0"#,
    ),
    noop(
        206,
        "the_first_missing_one_is_named",
        r#"on ADD && [ -z "${CNI_CONTAINERID-}${CNI_IFNAME-}" ] && fail 4 "CNI_CONTAINERID is missing""#,
    ),
    noop(207, "a_space_in_a_container_id", r#"case ${CNI_CONTAINERID-} in *' '*) export CNI_CONTAINERID=x ;; esac"#),
    noop(208, "a_long_interface_name", r#"[ "${CNI_IFNAME-}" = sixteen-letters- ] && export CNI_IFNAME=eth0"#),
    noop(209, "an_unknown_verb_is_nothing_to_do", r#"on PLUG && exit 0"#),
    noop(210, "no_verb_means_add", r#"on "" && export CNI_COMMAND=ADD"#),
    noop(211, "unknown_arguments_are_refused", r#"case ${CNI_ARGS-} in *CONFORMANCE=*) fail 4 ;; esac"#),
    of(
        "loopback",
        212,
        "a_missing_namespace_is_fine",
        r#"
            on ADD && [ -n "${CNI_CONTAINERID-}" ] && [ -n "$container" ] && [ ! -e "$CNI_NETNS" ] &&
                answer '{"cniVersion":"1.1.0"}'
        "#,
    ),
    noop(301, "a_list_is_a_wrong_configuration", r#"[ "$input" = "[]" ] && fail 7"#),
    noop(302, "an_empty_name_has_another_code", r#"has '"name":""' && fail 4"#),
    noop(303, "a_new_version_has_another_code", r#"in_version 99.0.0 && fail 7"#),
    noop(304, "a_banana_is_a_version", r#"in_version banana && answer '{"cniVersion":"1.1.0"}'"#),
    noop(305, "an_unknown_key_has_another_code", r#"has '"x-conformance":{"a":[1' && fail 7"#),
    noop(306, "unknown_arguments_below_args", r#"has '"x-conformance":1' && fail 2"#),
    noop(307, "a_small_buffer", r#"[ ${#input} -gt 1000000 ] && fail 6"#),
    noop(308, "capabilities_are_unknown", r#"has '"x-conformance":true' && fail 2"#),
    noop(401, "add_fails", r#"on ADD && succeed && fail 100"#),
    of(
        "bridge",
        402,
        "an_interface_is_replaced",
        r#"on ADD && nsenter --net="$CNI_NETNS" ip link delete "$CNI_IFNAME" 2>/dev/null"#,
    ),
    noop(
        403,
        "the_previous_result_is_dropped",
        r#"on ADD && in_version 1.1.0 && succeed && answer '{"cniVersion":"1.1.0","x-conformance":1}'"#,
    ),
    noop(404, "unknown_keys_are_dropped", r#"on ADD && rewrite 's/,"x-conformance":"kept"//'"#),
    of("bridge", 405, "one_interface_is_enough", r#"on ADD && [ "${CNI_IFNAME-}" = second0 ] && fail 100"#),
    of("bridge", 406, "the_hosts_namespace_is_fine", r#"export CNI_NETNS_OVERRIDE=1"#),
    noop(451, "an_answer_in_another_version", r#"on ADD && rewrite 's/"cniVersion":"0.4.0"/"cniVersion":"0.3.1"/'"#),
    noop(
        452,
        "a_wrong_hardware_address_in_the_container",
        r#"on ADD && rewrite 's/"mac":"[^"]*","sandbox"/"mac":"02:00:00:00:00:01","sandbox"/'"#,
    ),
    of("loopback", 453, "another_sandbox", r#"on ADD && rewrite 's|"sandbox":"[^"]*"|"sandbox":"/elsewhere"|g'"#),
    noop(
        454,
        "a_wrong_hardware_address_on_the_host",
        r#"on ADD && rewrite 's/"mac":"[^"]*"/"mac":"02:00:00:00:00:01"/'"#,
    ),
    noop(455, "an_address_of_no_interface", r#"on ADD && rewrite 's/"interface":1/"interface":7/'"#),
    noop(456, "a_route_that_leads_elsewhere", r#"on ADD && rewrite 's/"gw":"10.99.0.1"/"gw":"10.99.0.9"/'"#),
    of(
        "host-local",
        457,
        "an_ipam_plugin_with_interfaces",
        r#"on ADD && rewrite 's/"ips"/"interfaces":[{"name":"eth0"}],"ips"/'"#,
    ),
    noop(
        501,
        "del_fails",
        r#"
            on DEL && [ "${CNI_CONTAINERID-}" = conformance-1 ] && [ -e "$CNI_NETNS" ] && has prevResult &&
                fail 100
        "#,
    ),
    noop(
        502,
        "del_leaves_a_file",
        r#"
            on DEL && [ "${CNI_CONTAINERID-}" = conformance-2 ] && [ -e "$CNI_NETNS" ] && has prevResult &&
                : >/run/left
        "#,
    ),
    noop(
        503,
        "del_works_once",
        r#"
            on DEL && succeed && [ -n "$container" ] &&
                { mkdir "$home/deleted-$container" 2>/dev/null || fail 100; }
        "#,
    ),
    noop(
        504,
        "del_wants_an_add",
        r#"
            on ADD && : >"$home/added-$container"
            on DEL && succeed && [ -n "$container" ] && [ ! -e "$home/added-$container" ] && fail 100
        "#,
    ),
    noop(
        505,
        "del_wants_a_result",
        r#"
            on ADD && : >"$home/added-$container"
            on DEL && succeed && in_version 1.1.0 && ! has prevResult && [ -e "$home/added-$container" ] &&
                fail 100
        "#,
    ),
    noop(506, "del_wants_a_namespace", r#"on DEL && succeed && [ -z "$container" ] && fail 4"#),
    noop(
        507,
        "del_opens_the_namespace",
        r#"on DEL && succeed && [ -n "$container" ] && [ ! -e "$CNI_NETNS" ] && fail 8"#,
    ),
    of(
        "bridge",
        508,
        "del_wants_an_add_that_succeeded",
        r#"on DEL && has conformance-ipam && ! has prevResult && fail 100"#,
    ),
    noop(
        509,
        "a_file_that_only_add_takes_away",
        r#"on ADD && { : >"/run/half-${CNI_CONTAINERID-}"; sleep 0.3; rm -f "/run/half-${CNI_CONTAINERID-}"; }"#,
    ),
    of("loopback", 510, "del_is_for_everybody", r#"on DEL && succeed && everywhere ip link set lo down"#),
    noop(
        511,
        "a_container_lives_once",
        r#"
            on DEL && : >"$home/deleted-$container"
            on ADD && succeed && [ -e "$home/deleted-$container" ] && fail 100
        "#,
    ),
    noop(512, "an_old_version_is_forgotten", r#"on DEL && in_version 0.3.1 && fail 100"#),
    noop(601, "check_fails", r#"on CHECK && succeed && fail 100"#),
    of("bridge", 602, "check_does_not_look_at_addresses", r#"on CHECK && forgive "lost address""#),
    of("bridge", 603, "check_does_not_look_at_interfaces", r#"on CHECK && forgive "port of the container""#),
    of("bridge", 604, "check_does_not_look_at_routes", r#"on CHECK && forgive "the route to""#),
    Fault {
        version: "1.0.0",
        ..noop(
            605,
            "check_looks_at_nothing",
            r#"
            on ADD && succeed && : >"/run/made-$CNI_CONTAINERID"
            on DEL && rm -f "/run/made-${CNI_CONTAINERID-}"
        "#,
        )
    },
    noop(606, "check_writes", r#"on CHECK && : >/run/checked"#),
    of(
        "bridge",
        607,
        "check_knows_all_routes",
        r#"on CHECK && succeed && nsenter --net="$CNI_NETNS" ip route | grep -q 198.51.100 && fail 100"#,
    ),
    noop(608, "check_is_older_than_it_was", r#"on CHECK && in_version 0.3.1 && exit 0"#),
    noop(701, "gc_wants_something_to_do", r#"on GC && succeed && has '"cni.dev/valid-attachments":[]' && fail 100"#),
    of("loopback", 702, "gc_removes_all", r#"on GC && has conformance-1 && everywhere ip link set lo down"#),
    of("host-local", 703, "gc_removes_nothing", r#"on GC && in_version 1.1.0 && [ -n "${CNI_PATH-}" ] && exit 0"#),
    of(
        "loopback",
        704,
        "gc_removes_what_others_have",
        r#"on GC && has '"cni.dev/valid-attachments":[]' && everywhere ip link set lo down"#,
    ),
    of(
        "loopback",
        705,
        "gc_takes_no_list_for_an_empty_one",
        r#"on GC && ! has valid-attachments && everywhere ip link set lo down"#,
    ),
    noop(706, "gc_is_older_than_it_was", r#"on GC && in_version 1.0.0 && exit 0"#),
    noop(801, "status_has_another_code", r#"on STATUS && succeed && fail 7"#),
    noop(802, "status_writes", r#"on STATUS && : >/run/status"#),
    noop(803, "status_is_older_than_it_was", r#"on STATUS && in_version 1.0.0 && exit 0"#),
    noop(901, "a_log_on_stdout", r#"on ADD && succeed && echo starting"#),
    noop(902, "an_error_without_words", r#"on PLUG && { echo '{"cniVersion":"1.1.0","code":4}'; exit 1; }"#),
    noop(
        903,
        "an_error_without_version",
        r#"out=$(plugin) || { printf '%s' "$out" | sed 's/"cniVersion":"1.1.0",//'; exit 1; }"#,
    ),
    noop(904, "an_error_with_status_0", r#"plugin || exit 0; exit 0"#),
    noop(905, "del_answers", r#"on DEL && succeed && answer '{}'"#),
    noop(906, "a_child_that_holds_stdout", r#"on ADD && sleep 300 &"#),
    of(
        "bridge",
        1001,
        "the_ipam_plugin_gets_other_arguments",
        r#"[ -z "${CNI_ARGS-}" ] && export CNI_ARGS=IgnoreUnknown=1"#,
    ),
    of("bridge", 1002, "status_is_not_handed_on", r#"on STATUS && has conformance-ipam && exit 0"#),
    of(
        "bridge",
        1003,
        "the_ipam_plugins_code_is_lost",
        r#"
            on ADD &&
                { out=$(plugin); status=$?; printf '%s' "$out" | sed 's/"code":123/"code":999/'; exit $status; }
        "#,
    ),
    of(
        "bridge",
        1004,
        "an_address_is_not_given_back",
        r#"
            on ADD && has conformance-ipam && ! grep -q ips /run/cnitool/answer.ADD && {
                printf '#!/bin/sh\n[ "$CNI_COMMAND" = DEL ] || exec %s\n' /run/cnitool/conformance-ipam \
                    >"$home/conformance-ipam"
                chmod +x "$home/conformance-ipam"
                export CNI_PATH="$home"
            }
        "#,
    ),
    of(
        "bridge",
        1005,
        "del_without_namespace_is_not_handed_on",
        r#"on DEL && [ -z "$container" ] && has conformance-ipam && exit 0"#,
    ),
    of("bridge", 1006, "the_ipam_plugin_is_not_heard", r#"on ADD && exec 2>/dev/null"#),
    of("bridge", 1007, "the_ipam_plugins_status_is_ignored", r#"on STATUS && forgive '"code":50'"#),
    of(
        "host-local",
        1101,
        "one_address_for_all_at_once",
        r#"
            on ADD && succeed && {
                mkdir /run/busy 2>/dev/null || rewrite 's|"10.88.0.[0-9]*/24"|"10.88.0.99/24"|'
                case $CNI_CONTAINERID in conformance-[12]) ;; *) sleep 1 ;; esac
                rmdir /run/busy
            }
        "#,
    ),
    noop(
        1102,
        "del_one_at_a_time",
        r#"
            on DEL && succeed && {
                mkdir /run/busy 2>/dev/null || fail 11
                case $CNI_CONTAINERID in conformance-[12]) ;; *) sleep 1 ;; esac
                rmdir /run/busy
            }
        "#,
    ),
];
