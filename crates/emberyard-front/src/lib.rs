//! Gateway: notebooks, Spark UI, one door.
