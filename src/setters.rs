//! Setters of public structs that may get further fields, so that users can't write them out.

/// Gives a struct a consuming setter for each field named. `into` takes what becomes the field's type, `some` what is
/// in the option.
macro_rules! setters {
    ($type:ident $(<$lifetime:lifetime>)? { $($rest:tt)* }) => {
        impl $(<$lifetime>)? $type $(<$lifetime>)? {
            $crate::setters::setters!(@ $($rest)*);
        }
    };
    (@) => {};
    (@ $field:ident: some into $value:ty, $($rest:tt)*) => {
        #[doc = concat!("The same with this `", stringify!($field), "`.")]
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$value>) -> Self {
            self.$field = Some($field.into());
            self
        }
        $crate::setters::setters!(@ $($rest)*);
    };
    (@ $field:ident: some $value:ty, $($rest:tt)*) => {
        #[doc = concat!("The same with this `", stringify!($field), "`.")]
        #[must_use]
        pub fn $field(mut self, $field: $value) -> Self {
            self.$field = Some($field);
            self
        }
        $crate::setters::setters!(@ $($rest)*);
    };
    (@ $field:ident: into $value:ty, $($rest:tt)*) => {
        #[doc = concat!("The same with this `", stringify!($field), "`.")]
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$value>) -> Self {
            self.$field = $field.into();
            self
        }
        $crate::setters::setters!(@ $($rest)*);
    };
    (@ $field:ident: $value:ty, $($rest:tt)*) => {
        #[doc = concat!("The same with this `", stringify!($field), "`.")]
        #[must_use]
        pub fn $field(mut self, $field: $value) -> Self {
            self.$field = $field;
            self
        }
        $crate::setters::setters!(@ $($rest)*);
    };
}

pub(crate) use setters;
