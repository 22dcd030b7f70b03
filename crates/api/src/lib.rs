//! JSON over HTTP, OpenAPI, webhooks in, live updates.
