//! Results through the generations.

use libcni::result::{AddResult, v100};
use libcni::spec::{Route, Version};
use proptest::prelude::*;

use super::made_up::body;

fn through(version: &Version, body: &v100::Body) -> v100::Body {
    let old = AddResult::from(body.clone()).to_version(version).unwrap();
    let read = AddResult::parse(&old.to_string()).unwrap();
    read.to_version(&Version::CURRENT).unwrap().latest()
}

proptest! {
    #![proptest_config(super::few())]

    #[test]
    fn a_result_is_read_as_it_was_written(body in body()) {
        for version in [Version::V1_1_0, Version::V0_4_0, Version::V0_3_0, Version::V0_2_0] {
            let Ok(result) = AddResult::from(body.clone()).to_version(&version) else { continue };
            prop_assert_eq!(&AddResult::parse(&result.to_string()).unwrap(), &result);
            let pretty = result.to_json_pretty();
            prop_assert_eq!(AddResult::parse(&pretty).unwrap().to_json_pretty(), pretty);
        }
    }

    #[test]
    fn through_0_4_0_only_what_interfaces_got_since_is_lost(body in body()) {
        let mut expected = body.clone();
        for interface in &mut expected.interfaces {
            (interface.mtu, interface.socket_path, interface.pci_id) = (None, None, None);
        }
        prop_assert_eq!(through(&Version::V0_4_0, &body), expected);
    }

    #[test]
    fn through_0_2_0_the_first_address_of_each_family_is_left_with_its_routes(body in body()) {
        prop_assume!(!body.ips.is_empty());
        let left = through(&Version::V0_2_0, &body);
        let first = |v4: bool| body.ips.iter().find(|ip| ip.address.is_ipv4() == v4);
        let ips: Vec<_> = [first(true), first(false)].into_iter().flatten().map(|ip| (ip.address, ip.gateway)).collect();
        prop_assert_eq!(left.ips.iter().map(|ip| (ip.address, ip.gateway)).collect::<Vec<_>>(), ips.clone());
        let of_family = |v4: bool| body.routes.iter().filter(move |route| route.dst.is_ipv4() == v4);
        let routes: Vec<_> = [true, false].into_iter().filter(|v4| first(*v4).is_some()).flat_map(of_family).map(plain).collect();
        prop_assert_eq!(left.routes.iter().map(plain).collect::<Vec<_>>(), routes);
        prop_assert_eq!((left.dns, left.extra), (body.dns, body.extra));
        prop_assert!(left.interfaces.is_empty());
    }

    #[test]
    fn without_an_address_there_is_no_0_2_0_result(body in body()) {
        let body = body.ips(Vec::new());
        prop_assert!(AddResult::from(body).to_version(&Version::V0_2_0).is_err());
    }
}

/// What a 0.2.0 result can say of a route.
fn plain(route: &Route) -> Route {
    let plain = Route::new(route.dst).extra(route.extra.clone());
    route.gw.map_or(plain.clone(), |gw| plain.via(gw))
}
