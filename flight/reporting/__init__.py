"""From a record to what was applied: report, treatment record, missed spots, cost."""
