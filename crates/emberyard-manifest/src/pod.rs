//! The notebook's pod: Jupyter with its kernels and Spark drivers, and beside it the door to the Spark UI.

use crate::config::{DOOR, JUPYTER_CONFIG, KERNEL_FILES, SPARK_DEFAULTS, TUTORIAL};
use crate::labels::{SPEC_ANNOTATION, fingerprint, owned};
use crate::outside;
use crate::validate::Session;
use emberyard_model::notebook::{DOOR_PORT, JUPYTER_PORT, TOKEN_KEY};
use serde_json::{Value, json};

/// The user's home in our images.
const HOME: &str = "/home/emberyard";
const ETC: &str = "/etc/emberyard";

pub(crate) fn pod(session: &Session) -> Value {
    let spec = spec(session);
    let mut metadata = owned(session, &session.names().pod());
    metadata.insert(
        "annotations".to_owned(),
        json!({"kubectl.kubernetes.io/default-container": "notebook", SPEC_ANNOTATION: fingerprint(&spec)}),
    );
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

fn spec(session: &Session) -> Value {
    let name = &session.identity.name;
    let (mut env, mut mounts, mut volumes) = (environment(session), mounts(session), volumes(session));
    outside::add(session, &mut env, &mut mounts, &mut volumes);
    json!({
        "serviceAccountName": name,
        "restartPolicy": "Always",
        // Jupyter stops its kernels, and their drivers take their executors down, well within this.
        "terminationGracePeriodSeconds": 15,
        // The door counts the driver processes of the other container.
        "shareProcessNamespace": true,
        "enableServiceLinks": false,
        "securityContext": {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [notebook(session, env, mounts), door(session)],
        "volumes": volumes,
    })
}

/// What JupyterLab opens on.
fn root(session: &Session) -> &str {
    session.folder.as_deref().unwrap_or(HOME)
}

fn notebook(session: &Session, env: Vec<Value>, mounts: Vec<Value>) -> Value {
    let Session { image, base_path, cpu, memory, .. } = session;
    json!({
        "name": "notebook",
        "image": image,
        "command": ["jupyter", "lab", format!("--config={ETC}/jupyter/{JUPYTER_CONFIG}")],
        "workingDir": root(session),
        "env": env,
        "ports": [{"name": "http", "containerPort": JUPYTER_PORT}],
        "resources": {"requests": {"cpu": cpu.to_string(), "memory": memory.to_string()}},
        // Jupyter answers this page without a token.
        "readinessProbe": {
            "httpGet": {"path": format!("{base_path}api"), "port": JUPYTER_PORT},
            "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 10,
        },
        "volumeMounts": mounts,
    })
}

fn environment(session: &Session) -> Vec<Value> {
    let Session { base_path, gateway_url, .. } = session;
    let host = gateway_url.split_once("://").map_or(gateway_url.as_str(), |(_, host)| host);
    // Hadoop takes it for the user's name, and Spark gives it to executors.
    let owner = session.owner.iter().map(|owner| json!({"name": "HADOOP_USER_NAME", "value": owner}));
    let own = [
        json!({"name": "HOME", "value": HOME}),
        json!({"name": "EMBERYARD_BASE_URL", "value": base_path}),
        json!({"name": "EMBERYARD_NOTEBOOK", "value": session.identity.name}),
        json!({"name": "EMBERYARD_ROOT_DIR", "value": root(session)}),
        json!({"name": "EMBERYARD_EXAMPLES", "value": format!("{ETC}/examples")}),
        // Files about running servers must not outlive the processes they name.
        json!({"name": "JUPYTER_RUNTIME_DIR", "value": "/tmp/jupyter-runtime"}),
        json!({"name": "JUPYTER_TOKEN_FILE", "value": format!("{ETC}/token/{TOKEN_KEY}")}),
        json!({"name": "SPARK_CONF_DIR", "value": format!("{ETC}/spark")}),
        // The word that executors find on their own PATH: the same environment as the kernel's.
        json!({"name": "PYSPARK_PYTHON", "value": "python3"}),
        json!({"name": "EMBERYARD_WARM", "value": if session.warm_session { "on" } else { "off" }}),
        // Spark appends `:PORT` to this and calls it the address of its UI: a link through the gateway.
        json!({"name": "SPARK_PUBLIC_DNS", "value": format!("{host}{base_path}spark")}),
    ];
    own.into_iter().chain(owner).collect()
}

fn mounts(session: &Session) -> Vec<Value> {
    let mut mounts = vec![
        json!({"name": "home", "mountPath": HOME}),
        json!({"name": "token", "mountPath": format!("{ETC}/token"), "readOnly": true}),
        json!({"name": "spark", "mountPath": format!("{ETC}/spark"), "readOnly": true}),
        json!({"name": "jupyter", "mountPath": format!("{ETC}/jupyter"), "readOnly": true}),
        // One of the folders in which IPython looks for a machine's settings.
        json!({"name": "ipython", "mountPath": "/etc/ipython", "readOnly": true}),
        json!({"name": "examples", "mountPath": format!("{ETC}/examples"), "readOnly": true}),
    ];
    if let Some(folder) = &session.folder {
        mounts.push(json!({"name": "folder", "mountPath": folder}));
    }
    mounts
}

fn door(session: &Session) -> Value {
    json!({
        "name": "spark-door",
        "image": session.image,
        "command": ["python3", format!("{ETC}/door/{DOOR}"), DOOR_PORT.to_string()],
        "ports": [{"name": "spark-ui", "containerPort": DOOR_PORT}],
        "resources": {"requests": {"cpu": "10m", "memory": "48Mi"}},
        "volumeMounts": [{"name": "door", "mountPath": format!("{ETC}/door"), "readOnly": true}],
    })
}

fn volumes(session: &Session) -> Vec<Value> {
    let names = session.names();
    let config = |volume: &str, files: &[&str]| {
        let items: Vec<Value> = files.iter().map(|file| json!({"key": file, "path": file})).collect();
        json!({"name": volume, "configMap": {"name": names.config(), "items": items}})
    };
    let mut volumes = vec![
        json!({"name": "home", "persistentVolumeClaim": {"claimName": names.home()}}),
        json!({"name": "token", "secret": {"secretName": session.token_secret, "items": [{"key": TOKEN_KEY, "path": TOKEN_KEY}]}}),
        // Spark sends every file of its configuration folder to its executors: this one holds the defaults only.
        config("spark", &[SPARK_DEFAULTS]),
        config("jupyter", &[JUPYTER_CONFIG]),
        config("door", &[DOOR]),
        config("ipython", &KERNEL_FILES.map(|(name, _)| name)),
        config("examples", &[TUTORIAL]),
    ];
    if let Some(folder) = &session.folder {
        volumes.push(json!({"name": "folder", "hostPath": {"path": folder, "type": "Directory"}}));
    }
    volumes
}
