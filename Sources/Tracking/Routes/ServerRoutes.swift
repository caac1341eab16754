import ApusGateway
import ApusJSON
import HTTPTypes

/// The version of MLflow whose protocols are spoken; clients decide by it what they may use.
package enum MLflowVersion {
    package static let spoken = "3.18.0"
}

/// Endpoints that tell what the server is.
struct ServerRoutes {
    let servesArtifacts: Bool

    var routes: [Route] {
        [
            Route(.get, "health", .root, .open) { _ in .text("OK") },
            Route(.get, "version", .root, .open) { _ in .text(MLflowVersion.spoken) },
            Route(.get, "3.0/mlflow/server-info", .api, .open) { [info = serverInfo] _ in info },
        ]
    }

    private var serverInfo: GatewayResponse {
        .json { json in
            json.member("store_type", "SqlStore")
            for (name, value) in [
                ("workspaces_enabled", false), ("trace_archival_enabled", false), ("multipart_uploads_enabled", false),
                ("multipart_downloads_enabled", false), ("artifact_serving_enabled", servesArtifacts),
                ("presigned_upload_run_id_supported", false), ("artifacts_presigned_only", false),
            ] {
                json.key(text: name)
                json.bool(value)
            }
            json.member("tracking_auth", "")
            json.key("features_enabled")
            json.object { json in
                json.key("gateway")
                json.bool(false)
            }
        }
    }
}
