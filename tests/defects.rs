mod fake_kernel;
use fake_kernel::*;
#[test]
fn x() {
    let (m, p) = Machine::with_pool(c"p", 0x4000_0000, MIB);
    let d = m.plain_device();
    let h = m.alloc(d, 100, rt_dma_pool::flags::Flags::NOCACHE).unwrap();
    m.free(h).unwrap();
    println!("{:?} {:?}", m.list(), p.usage());
}
