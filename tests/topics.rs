//! Folders of cases in YAML: a test for each file, and one that no file is left out.

macro_rules! topics {
    (in $folder:literal, each $holds:ident: $($topic:ident)*) => {
        $(
            #[test]
            fn $topic() {
                $holds(concat!(stringify!($topic), ".yaml"));
            }
        )*

        #[test]
        fn every_file_has_its_test() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($folder);
            let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut there: Vec<String> = names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
            there.sort();
            assert_eq!(there, [$(stringify!($topic)),*]);
        }
    };
}
