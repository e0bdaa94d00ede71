"""A model that calls tools: in one job, in a flow, over the Model Context Protocol."""
