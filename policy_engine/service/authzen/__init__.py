"""AuthZEN Authorization API 1.0: subjects, actions and resources as the facts of permission decisions."""
