//! A whole notebook as files: what the operator would write for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use emberyard_manifest::{Identity, NotebookObjects, Outside, Session, SessionSettings, build, token_secret, validate};
use emberyard_model::{Folder, NotebookSpec};

fn session(spec: NotebookSpec) -> Session {
    let identity = Identity {
        namespace: "default".to_owned(),
        name: "my-pyspark-notebook".to_owned(),
        uid: "00000000-0000-0000-0000-000000000001".to_owned(),
    };
    validate(identity, spec, &SessionSettings::new("http://127.0.0.1:8321/")).unwrap()
}

fn with_folder() -> Session {
    session(NotebookSpec { folder: Some(Folder { path: "/home/ada/work".to_owned() }), ..NotebookSpec::default() })
}

#[test]
fn a_whole_notebook() {
    let session = with_folder();
    let NotebookObjects { service_account, role, role_binding, mut config_map, outside, services, home, pod } =
        build(&session);
    assert!(outside.is_none());
    insta::assert_snapshot!("spark-defaults.conf", config_map["data"]["spark-defaults.conf"].as_str().unwrap());
    for (_, text) in config_map["data"].as_object_mut().unwrap() {
        *text = "…".into();
    }
    let secret = token_secret(&session, &[7; 24]);
    let all =
        [vec![service_account, role, role_binding, config_map, home, secret], services.to_vec(), vec![pod.unwrap()]];
    insta::assert_yaml_snapshot!("notebook", all.concat());
}

#[test]
fn the_tutorial_is_the_tutorial() {
    let config_map = build(&with_folder()).config_map;
    let notebook: serde_json::Value =
        serde_json::from_str(config_map["data"]["tutorial.ipynb"].as_str().unwrap()).unwrap();
    let cells: Vec<String> = notebook["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["cell_type"] == "code")
        .map(|cell| cell["source"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect())
        .collect();
    insta::assert_snapshot!("tutorial-code", cells.join("\n\n"));
}

#[test]
fn a_stopped_notebook_has_no_pod_and_a_changed_one_another_fingerprint() {
    let stopped = session(NotebookSpec { stopped: true, ..NotebookSpec::default() });
    assert!(build(&stopped).pod.is_none());
    let made_from =
        |session: &Session| build(session).pod.unwrap()["metadata"]["annotations"]["emberyard.dev/made-from"].clone();
    assert_eq!(made_from(&with_folder()), made_from(&with_folder()));
    assert_ne!(made_from(&with_folder()), made_from(&session(NotebookSpec::default())));
}

#[test]
fn sessions_are_their_owners_in_hdfs() {
    let user = |owner: Option<&str>, default: Option<&str>| {
        let text = |name: Option<&str>| name.map(str::to_owned);
        let settings = SessionSettings { owner: text(default), ..SessionSettings::new("http://127.0.0.1:8321/") };
        let spec = NotebookSpec { owner: text(owner), ..NotebookSpec::default() };
        let pod = build(&validate(with_folder().identity, spec, &settings).unwrap()).pod.unwrap();
        let all = pod["spec"]["containers"][0]["env"].as_array().unwrap();
        all.iter().find(|one| one["name"] == "HADOOP_USER_NAME").map(|one| one["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(user(Some("ann"), Some("bo")).as_deref(), Some("ann"));
    assert_eq!(user(None, Some("bo")).as_deref(), Some("bo"));
    assert_eq!(user(None, None), None);
}

#[test]
fn a_notebook_reaches_the_outside_as_its_user_does() {
    let settings = SessionSettings {
        outside: Outside {
            environment: [("PIP_INDEX_URL".to_owned(), "https://ada:secret@index/simple".to_owned())].into(),
            certificates: Some("-----BEGIN CERTIFICATE-----".to_owned()),
        },
        ..SessionSettings::new("http://127.0.0.1:8321/")
    };
    let session = validate(with_folder().identity, NotebookSpec::default(), &settings).unwrap();
    let NotebookObjects { outside, pod, .. } = build(&session);
    let pod = pod.unwrap();
    assert!(!pod.to_string().contains("secret@index"), "a password stands in the pod");
    let container = &pod["spec"]["containers"][0];
    let variable = |name: &str| {
        let all = container["env"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    let secret = outside.unwrap();
    assert_eq!(variable("PIP_INDEX_URL")["valueFrom"]["secretKeyRef"]["name"], secret["metadata"]["name"]);
    let file = variable("PIP_CERT")["value"].as_str().unwrap().to_owned();
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|mount| file.starts_with(mount["mountPath"].as_str().unwrap())).unwrap();
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
    let key = volume["secret"]["items"][0]["key"].as_str().unwrap();
    assert!(file.ends_with(key) && secret["data"][key].is_string());
}
