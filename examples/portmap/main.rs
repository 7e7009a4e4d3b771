//! tmp
#[path = "../shared/nft/mod.rs"]
mod nft;

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let o = nft::Owner { network: a[2].clone(), container_id: a[3].clone(), ifname: "eth0".into() };
    let nets: Vec<_> = a[4..].iter().map(|x| x.parse().unwrap()).collect();
    let r = match a[1].as_str() {
        "add" => nets.iter().try_for_each(|n| nft::masquerade::add(&o, *n)),
        "del" => nft::masquerade::remove(&o),
        "check" => nft::masquerade::check(&o, nets[0]),
        _ => nft::masquerade::retain(&a[2], |w| *w == o),
    };
    eprintln!("{r:?}");
}
