//! Scheduler and controllers as pure step functions; they speak in API requests only.
